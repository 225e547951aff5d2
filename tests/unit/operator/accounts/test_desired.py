"""Whose tokens end, and when."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from anka_crds.api import AnkaNode
from anka_operator.accounts.desired import is_outlived, is_used_up
from support.objects import START, node

LEAVING = {"deletionTimestamp": START.isoformat(), "finalizers": ["example.com/mine"]}
HERE = node()
GONE = node(meta={"uid": "an-earlier-one"})
HANGS = node(meta=LEAVING)


@pytest.mark.parametrize(
    ("owners", "now", "deleted", "ends"),
    [
        # made by a join: the AnkaNode owns it
        (["uid-mac-1"], HERE, None, False),
        (["uid-mac-1"], HERE, GONE, False),
        (["uid-mac-1"], HANGS, None, True),
        (["uid-mac-1"], None, None, True),
        (["an-earlier-one"], HERE, None, True),
        (["an-earlier-one"], HERE, GONE, True),
        # made by a person
        ([], HERE, None, False),
        ([], None, None, False),
        ([], None, GONE, True),
        ([], HERE, GONE, True),
        ([], HANGS, None, True),
    ],
)
def test_an_account_of_a_mac(owners: list[str], now: AnkaNode | None, deleted: AnkaNode | None, ends: bool) -> None:
    assert is_outlived(owners, now, deleted) is ends


REPORTED = node(status={"agentVersion": "1"}, meta={})


@pytest.mark.parametrize(
    ("age", "now", "deleted", "ends"),
    [
        # older than the AnkaNode, which was made with its token
        (5, None, None, False),
        (5, HERE, None, False),
        (5, REPORTED, None, True),
        (5, HANGS, None, True),
        (5, None, HERE, True),
        (0, REPORTED, None, True),
        # newer: for the next AnkaNode of this name
        (-5, REPORTED, None, False),
        (-5, HANGS, None, False),
        (-5, None, HERE, False),
        (-5, None, REPORTED, False),
    ],
)
def test_an_account_of_a_join_token(age: float, now: AnkaNode | None, deleted: AnkaNode | None, ends: bool) -> None:
    assert is_used_up(START - timedelta(seconds=age), now, deleted) is ends


def test_an_object_without_a_time_of_creation_ends_nothing() -> None:
    bare: Any = AnkaNode.from_api({"metadata": {"name": "mac-1"}, "spec": {}, "status": {"agentVersion": "1"}})
    assert not is_used_up(START, bare, None)
