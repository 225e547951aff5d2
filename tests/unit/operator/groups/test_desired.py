"""Status of a group."""

from __future__ import annotations

import pytest

from anka_crds.api import NodeGroup
from anka_crds.rules.condition_list import find
from anka_kube import merge_patch
from anka_operator.groups.desired import compute_status
from support.objects import START, group, node


@pytest.mark.parametrize(
    ("fallback", "fallbacks", "kind", "reason", "words"),
    [
        (None, {"ios": None}, "Ready", "Empty", "No Mac names this group"),
        ("spare", {"ios": "spare", "spare": None}, "Ready", "Empty", "No Mac"),
        ("gone", {"ios": "gone"}, "Stalled", "FallbackNotFound", "There is no NodeGroup gone"),
        ("b", {"ios": "b", "b": "ios"}, "Stalled", "FallbackCycle", "ios -> b -> ios"),
        ("b", {"ios": "b", "b": "c", "c": "b"}, "Stalled", "FallbackCycle", "ios -> b -> c -> b"),
        # The object is newer than the list of all groups.
        ("b", {"ios": None, "b": "ios"}, "Stalled", "FallbackCycle", "ios -> b -> ios"),
    ],
)
def test_verdict(fallback: str | None, fallbacks: dict[str, str | None], kind: str, reason: str, words: str) -> None:
    patch = compute_status(group("ios", fallback), [], fallbacks, START)
    assert patch is not None
    found = next(one for one in patch["conditions"] if one["type"] == kind)
    assert (found["status"], found["reason"]) == ("True", reason)
    assert words in found["message"]


def test_counts_and_no_second_write() -> None:
    before = group("ios")
    macs = [node("a"), node("b", state="Offline"), node("c", state="Drain Mode"), node("d", state=None)]
    patch = compute_status(before, macs, {"ios": None}, START)
    assert patch is not None
    assert (patch["nodes"], patch["activeNodes"], patch["observedGeneration"]) == (4, 1, 1)
    without_initial = NodeGroup.from_api(merge_patch.apply(before.to_api(), {"status": patch}))
    assert compute_status(without_initial, macs, {"ios": None}, START) is None
    ready = find(without_initial.status.conditions, "Ready")
    assert ready is not None
    assert ready.message == "Takes instances"
    patch = compute_status(without_initial, macs[1:], {"ios": None}, START)
    assert patch is not None
    assert patch["activeNodes"] == 0
    assert "None of its Macs" in patch["conditions"][0]["message"]
