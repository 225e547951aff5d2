"""Which node is best."""

from __future__ import annotations

from typing import Any

import pytest

from anka_scheduler.catalog import ResolvedVersion
from anka_scheduler.filters import Requirements
from anka_scheduler.ledger import Claim, Ledger
from anka_scheduler.node import SchedulableNode
from anka_scheduler.score import Placement, pull_effort, score_node, utilization
from anka_scheduler.size import VmSize

ASKED = Requirements(ResolvedVersion("t", "t", "v1", 0), ("ios", "spare"))
HAS_TAG = {"t": frozenset({"v1"})}
HAS_OTHER = {"t": frozenset({"v0"})}


def test_missing() -> None:
    assert [pull_effort(SchedulableNode("n", tags=holds), ASKED) for holds in (HAS_TAG, HAS_OTHER, {})] == [0, 1, 2]


def test_order() -> None:
    """The wanted group before the fallback, then what needs no pull, then what is emptier, then the name."""
    ledger = Ledger()
    for number, name in enumerate(["half", "half", "big"]):
        ledger.record(str(number), Claim(name))
    ios, spare = frozenset({"ios"}), frozenset({"spare"})
    best_first = [
        SchedulableNode("idle", groups=ios, vm_slots=4, tags=HAS_TAG),
        SchedulableNode("zidle", groups=ios, vm_slots=4, tags=HAS_TAG),
        SchedulableNode("big", groups=ios | spare, vm_slots=8, tags=HAS_TAG),
        SchedulableNode("half", groups=ios, vm_slots=4, tags=HAS_TAG),
        SchedulableNode("other", groups=ios, vm_slots=4, tags=HAS_OTHER),
        SchedulableNode("none", groups=ios, vm_slots=4),
        SchedulableNode("fallback", groups=spare, vm_slots=4, tags=HAS_TAG),
    ]
    assert sorted(best_first, key=lambda node: score_node(node, ASKED, ledger.usage(node.name))) == best_first
    packed = sorted(best_first, key=lambda node: score_node(node, ASKED, ledger.usage(node.name), Placement.PACK))
    assert [node.name for node in packed] == ["half", "big", "idle", "zidle", "other", "none", "fallback"]


@pytest.mark.parametrize(
    ("more", "wanted"),
    [
        ({"vm_slots": 4}, 0.5),
        ({"vm_slots": 0}, 0.0),
        ({"vm_slots": None, "allocatable": VmSize(8, 8192)}, 0.75),  # RAM is scarcer than vCPUs
        ({"vm_slots": None, "allocatable": VmSize(4, 81920)}, 1.0),
        ({"vm_slots": 2, "allocatable": VmSize(8, 8192)}, 1.0),
        ({"vm_slots": None, "allocatable": VmSize(0, 0)}, 6144.0),
    ],
)
def test_fullness(more: dict[str, Any], wanted: float) -> None:
    ledger = Ledger()
    ledger.record("a", Claim("n", VmSize(2, 2048)))
    ledger.record("b", Claim("n", VmSize(2, 4096)))
    assert utilization(SchedulableNode("n", **more), ledger.usage("n")) == wanted
