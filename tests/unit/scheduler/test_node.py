"""Nodes as the scheduler sees them."""

from __future__ import annotations

from typing import Any

import pytest

from anka_crds.api import NodeState
from anka_scheduler.node import NodeDevice, SchedulableNode, to_schedulable
from anka_scheduler.size import VmSize
from support.objects import TEMPLATE, node

HARDWARE = {"cpuCount": 8, "ramGib": 16}


def test_node_of() -> None:
    status = {
        "vlans": ["12"],
        "usbDevices": [
            {"locationId": "2", "name": "iPhone", "group": "iphone7"},
            {"locationId": "1", "available": False},
        ],
    }
    seen = to_schedulable(node("mac-1", slots=3, holds=("v1", "v2"), groups=["ios"], drainMode=True, status=status))
    assert seen == SchedulableNode(
        "mac-1",
        NodeState.ACTIVE,
        draining=True,
        leaving=False,
        groups=frozenset({"ios"}),
        arch="arm64",
        vm_slots=3,
        tags={TEMPLATE: frozenset({"v1", "v2"})},
        devices=(NodeDevice("1", frozenset(), available=False), NodeDevice("2", frozenset({"iPhone", "iphone7"}))),
        vlans=frozenset({"12"}),
    )


def test_a_template_without_a_tag_is_held_without_any_tag() -> None:
    held = to_schedulable(node(status={"templates": [{"uuid": TEMPLATE, "name": "macos-15"}]})).tags
    assert held == {TEMPLATE: frozenset()}


def test_sizes_of_templates_are_known_where_the_mac_says_both() -> None:
    rows = [
        {"uuid": "t", "name": "t", "tag": "v1", "vcpu": 6, "memoryMib": 8192},
        {"uuid": "t", "name": "t", "tag": "v2", "vcpu": 6},
        {"uuid": "u", "name": "u", "vcpu": 2, "memoryMib": 2048},
    ]
    sizes = to_schedulable(node(status={"templates": rows})).template_sizes
    assert sizes == {("t", "v1"): VmSize(6, 8192), ("u", None): VmSize(2, 2048)}


def test_a_node_that_is_being_disjoined_drains() -> None:
    assert to_schedulable(node(status={"leaving": True})).draining
    assert not to_schedulable(node()).draining


def test_a_node_being_removed_leaves() -> None:
    assert to_schedulable(node(meta={"deletionTimestamp": "2026-01-01T00:00:00Z"})).leaving


@pytest.mark.parametrize(
    ("arch", "status", "spec", "slots", "size"),
    [
        ("arm64", HARDWARE, {}, 2, None),
        ("arm64", HARDWARE, {"capacityMode": "number", "vcpuOverride": 4}, 2, None),
        # Apple's limit holds in either mode; an Intel Mac runs as many as fit.
        ("arm64", HARDWARE, {"capacityMode": "resource"}, 2, VmSize(16, 14 * 1024)),
        ("amd64", HARDWARE, {"capacityMode": "resource"}, None, VmSize(16, 14 * 1024)),
        ("amd64", HARDWARE, {"capacityMode": "resource", "vcpuOverride": 6}, None, VmSize(6, 14 * 1024)),
        ("amd64", HARDWARE, {"capacityMode": "resource", "ramOverrideGib": 8}, None, VmSize(16, 8 * 1024)),
        ("amd64", HARDWARE, {"capacityMode": "resource", "vcpuOverride": 0, "ramOverrideGib": 0}, None,
         VmSize(16, 14 * 1024)),
        # Hardware that nobody reported yet has room for nothing.
        ("amd64", {"cpuCount": None}, {"capacityMode": "resource"}, None, VmSize(0, 0)),
        ("amd64", {"cpuCount": 2, "ramGib": 1}, {"capacityMode": "resource"}, None, VmSize(4, 0)),
    ],
)  # fmt: skip
def test_capacity(arch: str, status: dict[str, Any], spec: dict[str, Any], slots: int | None, size: VmSize) -> None:
    seen = to_schedulable(node(arch=arch, status=status, **spec))
    assert (seen.vm_slots, seen.allocatable) == (slots, size)
