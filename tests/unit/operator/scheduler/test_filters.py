"""Which node an instance may run on, and the one reason why not."""

from __future__ import annotations

from typing import Any

import pytest

from anka_crds.api import NodeState
from anka_operator.scheduler.catalog import Resolved
from anka_operator.scheduler.filters import FULL, Asked, obstacle
from anka_operator.scheduler.fleet import Ledger, Node

ARM = Resolved("t", "t", "v1", 0, "arm64")


@pytest.mark.parametrize(
    ("more", "groups", "wanted"),
    [
        ({}, (), None),
        ({"groups": frozenset({"ios"})}, ("ios",), None),
        ({"groups": frozenset({"spare"})}, ("ios", "spare"), None),
        ({}, ("ios", "spare"), "not in group ios"),
        ({"draining": True}, (), "draining"),
        ({"state": NodeState.DRAIN}, (), "draining"),
        ({"leaving": True}, (), "being removed"),
        ({"state": None}, (), "not seen alive yet"),
        ({"state": NodeState.OFFLINE}, (), "offline"),
        ({"state": NodeState.INACTIVE}, (), "without a valid license"),
        ({"state": NodeState.UPDATING}, (), "updating"),
        ({"state": NodeState.UNHEALTHY}, (), "unhealthy"),
        ({"arch": "amd64"}, (), "not arm64"),
        ({"arch": None}, (), None),
        ({"slots": 1}, (), FULL),
        ({"slots": 0}, (), FULL),
        # What waiting does not change is told before what it does.
        ({"slots": 1, "arch": "amd64"}, (), "not arm64"),
        ({"slots": 1}, ("ios",), "not in group ios"),
    ],
)
def test_obstacle(more: dict[str, Any], groups: tuple[str, ...], wanted: str | None) -> None:
    ledger = Ledger()
    ledger.put("somebody", "mac-1")
    node = Node("mac-1", **{"state": NodeState.ACTIVE, "arch": "arm64", "slots": 2, **more})
    assert obstacle(node, Asked(ARM, groups), ledger) == wanted


def test_every_state_but_active_is_an_obstacle() -> None:
    for state in NodeState:
        free = Node("mac-1", state, slots=1)
        assert (obstacle(free, Asked(ARM), Ledger()) is None) == (state is NodeState.ACTIVE)
