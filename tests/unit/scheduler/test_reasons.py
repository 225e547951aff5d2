"""The words that tell why."""

from __future__ import annotations

import pytest

from anka_crds.api import NodeState
from anka_scheduler import reasons
from anka_scheduler.reasons import Rejection


@pytest.mark.parametrize(
    ("total", "rejections", "reserved", "wanted"),
    [
        (12, {reasons.FULL: 8, reasons.STATES[NodeState.DRAIN]: 3, reasons.lacks_usb("iphone7"): 1}, [],
         "0/12 nodes fit: 8 full, 3 draining, 1 lacks usb iphone7"),
        (3, {reasons.LEAVING: 1, reasons.STATES[None]: 1, reasons.FULL: 1}, [],
         "0/3 nodes fit: 1 being removed, 1 full, 1 not seen alive yet"),
        (5, {reasons.LACKS_MEMORY: 3, reasons.LACKS_VCPUS: 2}, [], "0/5 nodes fit: 3 lack memory, 2 lack vCPUs"),
        (3, {reasons.usb_in_use("tablet"): 2, reasons.lacks_vlan("12"): 1}, [],
         "0/3 nodes fit: 2 have usb tablet in use, 1 lacks vlan 12"),
        (1, {reasons.not_of_arch("arm64"): 1}, [], "0/1 node fit: 1 not arm64"),
        (2, {reasons.LACKS_MEMORY: 2}, ["a"], "0/2 nodes fit: 2 lack memory; a is kept free for it"),
        (9, {reasons.LACKS_MEMORY: 9}, list("abcd"),
         "0/9 nodes fit: 9 lack memory; a, b, c and 1 more are kept free for it"),
        (0, {}, [], "There are no nodes yet"),
    ],
)  # fmt: skip
def test_no_node_fits(total: int, rejections: dict[Rejection, int], reserved: list[str], wanted: str) -> None:
    why = reasons.no_node_fits(total, rejections, reserved)
    assert (why.reason, why.message) == ("Unschedulable", wanted)


@pytest.mark.parametrize(
    ("rejection", "wanted"),
    [
        (reasons.FULL, "Node mac-1 is full"),
        (reasons.LACKS_MEMORY, "Node mac-1 lacks memory"),
        (reasons.TOO_SMALL, "Node mac-1 is too small even when empty"),
        (reasons.RESERVED, "Node mac-1 is kept free for an instance that waits longer"),
        (reasons.usb_in_use("7"), "Node mac-1 has usb 7 in use"),
        (reasons.not_in_group("ios"), "Node mac-1 is not in group ios"),
    ],
)
def test_node_does_not_fit(rejection: Rejection, wanted: str) -> None:
    assert reasons.node_does_not_fit("mac-1", rejection).message == wanted


def test_there_are_words_for_every_state() -> None:
    assert set(reasons.STATES) == {None, *NodeState} - {NodeState.ACTIVE}


def test_an_empty_group() -> None:
    assert reasons.group_empty(["ios"]).message == "No node is in group ios"
    assert reasons.group_empty(["ios", "a", "b"]).message == "No node is in group ios, nor in its fallback a or b"
