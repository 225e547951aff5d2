"""Nodes as the scheduler sees them."""

from __future__ import annotations

from typing import Any

import pytest

from anka_crds.api import NodeState
from anka_operator.scheduler.fleet import Device, Node, node_of
from anka_operator.scheduler.size import Size
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
    seen = node_of(node("mac-1", slots=3, holds=("v1", "v2"), groups=["ios"], drainMode=True, status=status))
    assert seen == Node(
        "mac-1",
        NodeState.ACTIVE,
        draining=True,
        leaving=False,
        groups=frozenset({"ios"}),
        arch="arm64",
        slots=3,
        holds={TEMPLATE: frozenset({"v1", "v2"})},
        devices=(Device("1", frozenset(), available=False), Device("2", frozenset({"iPhone", "iphone7"}))),
        vlans=frozenset({"12"}),
    )


def test_a_template_without_a_tag_is_held_without_any_tag() -> None:
    held = node_of(node(status={"templates": [{"uuid": TEMPLATE, "name": "macos-15"}]})).holds
    assert held == {TEMPLATE: frozenset()}


def test_sizes_of_templates_are_known_where_the_mac_says_both() -> None:
    rows = [
        {"uuid": "t", "name": "t", "tag": "v1", "vcpu": 6, "memoryMib": 8192},
        {"uuid": "t", "name": "t", "tag": "v2", "vcpu": 6},
        {"uuid": "u", "name": "u", "vcpu": 2, "memoryMib": 2048},
    ]
    assert node_of(node(status={"templates": rows})).sizes == {("t", "v1"): Size(6, 8192), ("u", None): Size(2, 2048)}


def test_a_node_that_is_being_disjoined_drains() -> None:
    assert node_of(node(status={"leaving": True})).draining
    assert not node_of(node()).draining


def test_a_node_being_removed_leaves() -> None:
    assert node_of(node(meta={"deletionTimestamp": "2026-01-01T00:00:00Z"})).leaving


@pytest.mark.parametrize(
    ("arch", "status", "spec", "slots", "room"),
    [
        ("arm64", HARDWARE, {}, 2, None),
        ("arm64", HARDWARE, {"capacityMode": "number", "vcpuOverride": 4}, 2, None),
        # Apple's limit holds in either mode; an Intel Mac runs as many as fit.
        ("arm64", HARDWARE, {"capacityMode": "resource"}, 2, Size(16, 14 * 1024)),
        ("amd64", HARDWARE, {"capacityMode": "resource"}, None, Size(16, 14 * 1024)),
        ("amd64", HARDWARE, {"capacityMode": "resource", "vcpuOverride": 6}, None, Size(6, 14 * 1024)),
        ("amd64", HARDWARE, {"capacityMode": "resource", "ramOverrideGib": 8}, None, Size(16, 8 * 1024)),
        ("amd64", HARDWARE, {"capacityMode": "resource", "vcpuOverride": 0, "ramOverrideGib": 0}, None,
         Size(16, 14 * 1024)),
        # Hardware that nobody reported yet has room for nothing.
        ("amd64", {"cpuCount": None}, {"capacityMode": "resource"}, None, Size(0, 0)),
        ("amd64", {"cpuCount": 2, "ramGib": 1}, {"capacityMode": "resource"}, None, Size(4, 0)),
    ],
)  # fmt: skip
def test_capacity(arch: str, status: dict[str, Any], spec: dict[str, Any], slots: int | None, room: Size) -> None:
    seen = node_of(node(arch=arch, status=status, **spec))
    assert (seen.slots, seen.room) == (slots, room)
