"""Patches from typed statuses."""

from __future__ import annotations

from anka_crds.api.group import NodeGroupStatus
from anka_operator.status_patch import diff, is_change


def test_diff_deletes_what_is_gone_and_omits_what_stays() -> None:
    before = NodeGroupStatus(nodes=1, active_nodes=1, observed_generation=1)
    assert diff(before, NodeGroupStatus(nodes=2, observed_generation=1)) == {"nodes": 2, "activeNodes": None}
    assert diff(before, before) == {}


def test_differs() -> None:
    assert is_change({"a": 1, "b": 2}, {"a": 2})
    assert is_change({}, {"a": 0})
    assert not is_change({"a": 1, "b": 2}, {"a": 1})
