from __future__ import annotations

from typing import Any

import pytest

from anka_agent.plan.update import NO_LAUNCHER, NO_PLACE, UpdateAction, decide_update
from anka_crds.api.node import AgentUpdate, AnkaNodeSpec

SUM = "a" * 64


def told(message: str = "it broke", **more: Any) -> AgentUpdate:
    return AgentUpdate(version="2", failed=True, message=message, **more)


@pytest.mark.parametrize(
    ("spec", "given", "action", "words"),
    [
        ({}, {}, UpdateAction.NOTHING, ""),
        ({"agent_version": "1"}, {}, UpdateAction.NOTHING, ""),
        ({"agent_version": "2"}, {}, UpdateAction.WAIT, "waits for its turn"),
        ({"agent_version": "2"}, {"approved": "3"}, UpdateAction.WAIT, "waits for its turn"),
        ({"agent_version": "2"}, {"approved": "2"}, UpdateAction.GO, ""),
        ({"agent_version": "2"}, {"approved": "2", "launched": False}, UpdateAction.FAIL, NO_LAUNCHER),
        ({"agent_version": "2"}, {"approved": "2", "obtainable": False}, UpdateAction.FAIL, NO_PLACE),
        ({"agent_version": "../2"}, {"approved": "../2"}, UpdateAction.FAIL, "no version"),
        ({"agent_version": "2/.."}, {"approved": "2/.."}, UpdateAction.FAIL, "no version"),
        ({"agent_version": ".."}, {"approved": ".."}, UpdateAction.FAIL, "no version"),
        # What failed is not tried again, but another package or another version is.
        ({"agent_version": "2"}, {"approved": "2", "reported": told()}, UpdateAction.STAY, ""),
        ({"agent_version": "2", "agent_checksum": SUM}, {"approved": "2", "reported": told()}, UpdateAction.GO, ""),
        ({"agent_version": "2", "agent_checksum": SUM}, {"reported": told(checksum=SUM)}, UpdateAction.STAY, ""),
        ({"agent_version": "3"}, {"approved": "3", "reported": told()}, UpdateAction.GO, ""),
        # A restart with other flags mends these.
        ({"agent_version": "2"}, {"approved": "2", "reported": told(NO_LAUNCHER)}, UpdateAction.GO, ""),
        ({"agent_version": "2"}, {"approved": "2", "reported": told(NO_PLACE)}, UpdateAction.GO, ""),
        ({"agent_version": "2"}, {"reported": told(NO_LAUNCHER), "launched": False}, UpdateAction.FAIL, NO_LAUNCHER),
    ],
)
def test_decisions(spec: dict[str, Any], given: dict[str, Any], action: UpdateAction, words: str) -> None:
    usual: dict[str, Any] = {"approved": None, "running": "1", "reported": None, "launched": True, "obtainable": True}
    approved, *_ = ({**usual, **given}).values()
    rest = {key: value for key, value in {**usual, **given}.items() if key != "approved"}
    decision = decide_update(AnkaNodeSpec(**spec), approved, **rest)
    assert decision.action is action
    assert words in decision.message
