from __future__ import annotations

from typing import Any

import pytest

from anka_kube import merge_patch


@pytest.mark.parametrize(
    ("current", "patch", "result"),
    [
        ({}, {}, {}),
        ({"a": 1}, {"a": 2}, {"a": 2}),
        ({"a": 1}, {"b": 2}, {"a": 1, "b": 2}),
        ({"a": 1}, {"a": None}, {}),
        ({}, {"a": None}, {}),
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": None}}, {"a": {"c": 2}}),
        ({"a": [1, 2]}, {"a": [3]}, {"a": [3]}),
        ({"a": 1}, {"a": {"b": None}}, {"a": {}}),
        ({"a": [{"k": 1}]}, {"a": {"x": 1}}, {"a": {"x": 1}}),
    ],
)
def test_apply(current: dict[str, Any], patch: dict[str, Any], result: dict[str, Any]) -> None:
    before = repr(current)
    assert merge_patch.apply(current, patch) == result
    assert repr(current) == before
    assert merge_patch.changes(current, patch) is (current != result)


@pytest.mark.parametrize(
    ("patch", "prepared"),
    [
        ({"a": None}, {"a": None}),
        ({"a": {"b": None}}, {"a": {"b": None}}),
        ({"a": [{"b": None, "c": 1}, None]}, {"a": [{"c": 1}]}),
        ({"a": [[{"b": None}]]}, {"a": [[{}]]}),
        ({"a": ({"b": {"c": None}},)}, {"a": [{"b": {}}]}),
        ({"a": "text"}, {"a": "text"}),
    ],
)
def test_null_means_delete_only_where_a_merge_patch_says_so(patch: dict[str, Any], prepared: dict[str, Any]) -> None:
    assert merge_patch.prepare(patch) == prepared
