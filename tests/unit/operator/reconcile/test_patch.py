"""Patches from typed statuses."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from anka_crds.api.group import NodeGroupStatus
from anka_operator.reconcile.patch import bounded, differs, text, whole


def test_text_is_utc_in_whole_seconds() -> None:
    moment = datetime(2026, 1, 1, 2, 0, 0, 999_999, tzinfo=timezone(timedelta(hours=2)))
    assert text(moment) == "2026-01-01T00:00:00Z"


def test_whole_deletes_what_is_gone_and_leaves_out_what_stays() -> None:
    before = NodeGroupStatus(nodes=1, active_nodes=1, observed_generation=1)
    assert whole(NodeGroupStatus(nodes=2, observed_generation=1), before) == {"nodes": 2, "activeNodes": None}
    assert whole(before, before) == {}


def test_differs() -> None:
    assert differs({"a": 1, "b": 2}, {"a": 2})
    assert differs({}, {"a": 0})
    assert not differs({"a": 1, "b": 2}, {"a": 1})


def test_bounded() -> None:
    assert bounded("abc", 3) == "abc"
    assert bounded("abcd", 3) == "ab…"
