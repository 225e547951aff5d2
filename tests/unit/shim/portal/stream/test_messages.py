from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from anka_shim.portal.kinds import KIND_RIGHTS
from anka_shim.portal.stream import messages
from anka_shim.portal.stream.messages import NotUnderstood, parse_opening

rows = st.lists(st.dictionaries(st.text(max_size=5), st.text(max_size=20), max_size=3), max_size=20)


@given(st.text(max_size=20), rows, st.integers(1, 200))
def test_a_snapshot_in_parts_is_one_message(version: str, rows: list[dict[str, str]], part: int) -> None:
    before, messages.PART_BYTES = messages.PART_BYTES, part
    try:
        parts = list(messages.snapshot("nodes", version, (json.dumps(row).encode() for row in rows)))
    finally:
        messages.PART_BYTES = before
    expected = {"type": "snapshot", "kind": "nodes", "version": version, "rows": rows}
    assert json.loads(b"".join(parts)) == expected
    assert len(parts) <= len(rows) + 1


@given(rows, st.lists(st.text(max_size=10), max_size=5))
def test_a_delta(rows: list[dict[str, str]], removed: list[str]) -> None:
    one = messages.change("1-2", [json.dumps(row).encode() for row in rows], removed)
    told = json.loads(messages.delta({"nodes": one, "groups": one}))
    assert told["type"] == "delta"
    assert told["changes"]["nodes"] == {"version": "1-2", "upsert": rows, "remove": removed}
    assert told["changes"].keys() == {"nodes", "groups"}


leaves = st.none() | st.booleans() | st.integers() | st.text(max_size=5)
anything = st.recursive(leaves, lambda one: st.lists(one) | st.dictionaries(st.text(max_size=6), one), max_leaves=8)


@given(anything)
def test_any_opening_is_read(data: object) -> None:
    openings = (data, {"type": "open", "kinds": data}, {"type": "open", "kinds": ["nodes"], "since": data})
    for text in map(json.dumps, openings):
        try:
            opening = parse_opening(text)
        except NotUnderstood:
            continue
        assert set(opening.kinds) <= KIND_RIGHTS.keys()
        assert all(isinstance(version, str) for version in opening.since.values())


def test_kinds_that_only_a_page_of_another_version_knows_are_passed_over() -> None:
    assert parse_opening('{"type":"open","kinds":["clusters","nodes",{}]}').kinds == ("nodes",)


def test_kinds_come_in_the_order_in_which_a_page_needs_them() -> None:
    assert parse_opening('{"type":"open","kinds":["groups","cloud","nodes"]}').kinds == ("cloud", "nodes", "groups")
