"""Nodes as the scheduler sees them, and who takes room where."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from anka_crds.api import NodeState
from anka_operator.scheduler.fleet import Ledger, Node, node_of
from support.objects import TEMPLATE, node


def test_node_of() -> None:
    seen = node_of(node("mac-1", slots=3, holds=("v1", "v2"), groups=["ios"], drainMode=True))
    assert seen == Node(
        "mac-1",
        NodeState.ACTIVE,
        draining=True,
        leaving=False,
        groups=frozenset({"ios"}),
        arch="arm64",
        slots=3,
        holds={TEMPLATE: frozenset({"v1", "v2"})},
    )


def test_a_template_without_a_tag_is_held_without_any_tag() -> None:
    held = node_of(node(status={"templates": [{"uuid": TEMPLATE, "name": "macos-15"}]})).holds
    assert held == {TEMPLATE: frozenset()}


def test_a_node_being_removed_leaves() -> None:
    assert node_of(node(meta={"deletionTimestamp": "2026-01-01T00:00:00Z"})).leaving


@given(st.lists(st.tuples(st.sampled_from("abcde"), st.sampled_from([None, "mac-1", "mac-2"])), max_size=60))
def test_the_ledger_counts_each_once(moves: list[tuple[str, str | None]]) -> None:
    ledger, model = Ledger(), dict[str, str]()
    for uid, where in moves:
        ledger.put(uid, where)
        model.pop(uid, None)
        if where is not None:
            model[uid] = where
    assert {name: ledger.used(name) for name in ("mac-1", "mac-2")} == {
        name: Counter(model.values())[name] for name in ("mac-1", "mac-2")
    }
    assert dict(ledger.items()) == model
    assert len(ledger) == len(model)
    assert all(ledger.node(uid) == model.get(uid) for uid in "abcde")
