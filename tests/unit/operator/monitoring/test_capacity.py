"""Room of Macs, groups and the whole cloud."""

from __future__ import annotations

from typing import Any

import pytest

from anka_crds.api import AnkaNode
from anka_operator.monitoring.capacity import (
    MEMORY,
    MIB,
    VCPUS,
    VMS,
    ResourceUsage,
    compute_capacity,
    is_usable,
    iterate_usages,
)
from anka_scheduler.ledger import Claim, Ledger
from anka_scheduler.node import to_schedulable
from anka_scheduler.size import VmSize
from support.objects import node

GONE = {"deletionTimestamp": "2026-01-01T00:00:00Z"}


def ledger(**claims: str) -> Ledger:
    made = Ledger()
    for uid, where in claims.items():
        made.record(uid, Claim(where, VmSize(4, 8192)))
    return made


@pytest.mark.parametrize(
    ("mac", "expected"),
    [
        (node(), True),
        (node(state="Offline"), False),
        (node(state="Drain Mode"), False),
        (node(state=None), False),
        (node(drainMode=True), False),
        (node(meta=GONE), False),
    ],
)
def test_who_takes_new_vms(mac: AnkaNode, expected: bool) -> None:
    assert is_usable(to_schedulable(mac)) is expected


def test_what_limits_a_mac_is_what_counts() -> None:
    macs = [
        node("by-number", slots=2),
        node("by-size", arch="amd64", capacityMode="resource", vcpuOverride=16, ramOverrideGib=32),
    ]
    found = compute_capacity(map(to_schedulable, macs), [], ledger(a="by-number", b="by-size", c="by-size"))
    assert found.nodes == {
        "by-number": {VMS: ResourceUsage(2, 1)},
        "by-size": {VCPUS: ResourceUsage(16, 8), MEMORY: ResourceUsage(32 * 1024 * MIB, 16384 * MIB)},
    }
    assert found.total == {**found.nodes["by-number"], **found.nodes["by-size"]}


def test_sums_are_of_macs_that_take_new_vms() -> None:
    macs = [
        node("a", slots=2, groups=["ios", "all"]),
        node("b", slots=3, groups=["all", "no-such-group"]),
        node("c", slots=4, groups=["all"], state="Offline"),
    ]
    found = compute_capacity(map(to_schedulable, macs), ["ios", "all", "empty"], ledger(x="a", y="b", z="c"))
    assert found.nodes["c"] == {VMS: ResourceUsage(4, 1)}
    assert found.groups == {
        "ios": {VMS: ResourceUsage(2, 1)},
        "all": {VMS: ResourceUsage(5, 2)},
        "empty": {VMS: ResourceUsage(0, 0)},
    }
    assert found.total == {VMS: ResourceUsage(5, 2)}


def test_no_macs_are_no_room() -> None:
    found = compute_capacity([], ["ios"], Ledger())
    assert (found.total, list(iterate_usages(found.groups))) == (
        {VMS: ResourceUsage(0, 0)},
        [("ios", VMS, ResourceUsage(0, 0))],
    )


def test_a_group_of_macs_without_places_shows_none() -> None:
    mac = node(arch="amd64", capacityMode="resource", vcpuOverride=8, ramOverrideGib=8, groups=["big"])
    assert VMS not in compute_capacity([to_schedulable(mac)], ["big"], Ledger()).groups["big"]


SIZED: dict[str, Any] = {"arch": "amd64", "capacityMode": "resource", "vcpuOverride": 12, "ramOverrideGib": 24}


@pytest.mark.parametrize(
    ("mac", "taken", "expected"),
    [
        (node(slots=2), 1, True),
        (node(slots=2), 2, False),
        (node(slots=0), 0, False),
        # Each takes 4 vCPUs and 8 GiB.
        (node(**SIZED), 2, True),
        (node(**SIZED), 3, False),
        (node(**{**SIZED, "vcpuOverride": 11}), 2, False),
        (node(**{**SIZED, "ramOverrideGib": 19}), 2, False),
        (node(**{**SIZED, "ramOverrideGib": 20}), 2, True),
        # Apple silicon: both limits.
        (node(**{**SIZED, "arch": "arm64"}, slots=2), 2, False),
        (node(state="Offline"), 0, False),
    ],
)
def test_whether_there_is_a_place(mac: AnkaNode, taken: int, expected: bool) -> None:
    book = ledger(**{f"vm-{number}": "mac-1" for number in range(taken)})
    found = compute_capacity([to_schedulable(mac), to_schedulable(node("else", slots=0))], [], book)
    assert found.open_macs == int(expected)


def test_places_of_groups() -> None:
    macs = [node("a", groups=["ios", "all"]), node("b", groups=["all"]), node("c", slots=0, groups=["full", "gone"])]
    found = compute_capacity(map(to_schedulable, macs), ["ios", "all", "full", "empty"], Ledger())
    assert found.group_open_macs == {"ios": 1, "all": 2, "full": 0, "empty": 0}
    assert found.open_macs == 2
