from __future__ import annotations

from typing import Any

import pytest

from anka_agent.plan.update import NO_LAUNCHER, NO_PLACE, Action, decide
from anka_crds.api.node import AgentUpdate, AnkaNodeSpec

SUM = "a" * 64


def told(message: str = "it broke", **more: Any) -> AgentUpdate:
    return AgentUpdate(version="2", failed=True, message=message, **more)


@pytest.mark.parametrize(
    ("spec", "given", "action", "words"),
    [
        ({}, {}, Action.NOTHING, ""),
        ({"agent_version": "1"}, {}, Action.NOTHING, ""),
        ({"agent_version": "2"}, {}, Action.WAIT, "waits for its turn"),
        ({"agent_version": "2"}, {"approved": "3"}, Action.WAIT, "waits for its turn"),
        ({"agent_version": "2"}, {"approved": "2"}, Action.GO, ""),
        ({"agent_version": "2"}, {"approved": "2", "launched": False}, Action.FAIL, NO_LAUNCHER),
        ({"agent_version": "2"}, {"approved": "2", "obtainable": False}, Action.FAIL, NO_PLACE),
        ({"agent_version": "../2"}, {"approved": "../2"}, Action.FAIL, "no version"),
        ({"agent_version": "2/.."}, {"approved": "2/.."}, Action.FAIL, "no version"),
        ({"agent_version": ".."}, {"approved": ".."}, Action.FAIL, "no version"),
        # What failed is not tried again, but another package or another version is.
        ({"agent_version": "2"}, {"approved": "2", "told": told()}, Action.STAY, ""),
        ({"agent_version": "2", "agent_checksum": SUM}, {"approved": "2", "told": told()}, Action.GO, ""),
        ({"agent_version": "2", "agent_checksum": SUM}, {"told": told(checksum=SUM)}, Action.STAY, ""),
        ({"agent_version": "3"}, {"approved": "3", "told": told()}, Action.GO, ""),
        # A restart with other flags mends these.
        ({"agent_version": "2"}, {"approved": "2", "told": told(NO_LAUNCHER)}, Action.GO, ""),
        ({"agent_version": "2"}, {"approved": "2", "told": told(NO_PLACE)}, Action.GO, ""),
        ({"agent_version": "2"}, {"told": told(NO_LAUNCHER), "launched": False}, Action.FAIL, NO_LAUNCHER),
    ],
)
def test_decisions(spec: dict[str, Any], given: dict[str, Any], action: Action, words: str) -> None:
    usual: dict[str, Any] = {"approved": None, "running": "1", "told": None, "launched": True, "obtainable": True}
    approved, *_ = ({**usual, **given}).values()
    rest = {key: value for key, value in {**usual, **given}.items() if key != "approved"}
    decision = decide(AnkaNodeSpec(**spec), approved, **rest)
    assert decision.action is action
    assert words in decision.message
