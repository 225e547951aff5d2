from __future__ import annotations

from typing import Any

import pytest

from anka_crds.api import AnkaNode
from anka_operator.agent_updates.desired import parse_limit, plan_rollout
from support.objects import node

BAD: dict[str, Any] = {"agentUpdate": {"version": "2", "failed": True}}


def mac(name: str, wanted: str | None = "2", runs: str | None = "1", **more: Any) -> AnkaNode:
    state = more.pop("state", "Active")
    status = {**({"agentVersion": runs} if runs else {}), **more}
    spec: dict[str, Any] = {"agentVersion": wanted} if wanted else {}
    return node(name, state=state, status=status, **spec)


@pytest.mark.parametrize(
    ("limit", "nodes", "number"),
    [("10%", 3, 1), ("10%", 29, 2), ("100%", 7, 7), ("1", 50, 1), ("5", 2, 5), ("1%", 0, 1)],
)
def test_how_many_at_a_time(limit: str, nodes: int, number: int) -> None:
    assert parse_limit(limit, nodes) == number


CASES: dict[str, tuple[list[AnkaNode], dict[str, str]]] = {
    "nobody wants": ([mac("a", None), mac("b", "1")], {}),
    "one at a time": ([mac("c"), mac("a"), mac("b")], {"a": "2"}),
    "who began keeps the place": ([mac("a"), mac("b", updateApproved="2")], {"b": "2"}),
    "even if he does not come back": ([mac("a"), mac("b", updateApproved="2", state="Offline")], {"b": "2"}),
    "who is done gives it back": ([mac("a", runs="2", updateApproved="2"), mac("b")], {"b": "2"}),
    "who failed gives it back": ([mac("a", updateApproved="2", **BAD), mac("b")], {"b": "2"}),
    "approval for another version is none": ([mac("a", updateApproved="1.5")], {"a": "2"}),
    "offline ones wait": ([mac("a", state="Offline"), mac("b")], {"b": "2"}),
    "draining ones do not": ([mac("a", state="Drain Mode")], {"a": "2"}),
    "one that never reported": ([mac("a", runs=None)], {}),
    "two failed: nobody else": ([mac("a", **BAD), mac("b", **BAD), mac("c")], {}),
    "but another version goes on": ([mac("a", **BAD), mac("b", **BAD), mac("c", "3")], {"c": "3"}),
    "a failure of another version does not count": ([mac("a", "3", **BAD)], {"a": "3"}),
    "a Mac that is deleted": ([node("a", status={"agentVersion": "1"}, agentVersion="2",
                                     meta={"deletionTimestamp": "2026-01-01T00:00:00Z"}), mac("b")], {"b": "2"}),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_who_may(name: str) -> None:
    nodes, approved = CASES[name]
    assert plan_rollout(nodes, limit="1", failures=2).approved == approved


def test_figures() -> None:
    planned = plan_rollout([mac("a", **BAD), mac("b", **BAD), mac("c"), mac("d", "3")], limit="1", failures=2)
    assert (planned.approved, planned.waiting, planned.failed, planned.stopped) == ({"d": "3"}, 1, 2, ("2",))


def test_never_more_than_the_limit_at_a_time() -> None:
    """As a rollout goes: each step one of those that may update is done."""
    runs = {f"mac-{number:02}": "1" for number in range(30)}
    approved: dict[str, str] = {}
    while any(version == "1" for version in runs.values()):
        may: dict[str, dict[str, Any]] = {name: {"updateApproved": "2"} for name in approved}
        nodes = [mac(name, runs=version, **may.get(name, {})) for name, version in runs.items()]
        approved = plan_rollout(nodes, limit="10%", failures=2).approved
        assert 1 <= len(approved) <= 3
        runs[next(iter(approved))] = "2"
