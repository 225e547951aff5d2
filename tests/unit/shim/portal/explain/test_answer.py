"""The scheduler's answer as JSON."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from anka_scheduler.explain import build_input, explain
from anka_scheduler.queue import QueuedInstance
from anka_shim.portal.explain.answer import explanation_answer
from support.objects import TEMPLATE, instance, node, template

NODES = [
    node("mac-1", slots=1, holds=("v2",), displayName="Mac One"),
    node("mac-2", slots=4, capacityMode="resource", vcpuOverride=16, ramOverrideGib=32),
]


def answer(**spec: Any) -> dict[str, Any]:
    runs = instance("runs", status={"nodeName": "mac-1", "phase": "Started"})
    seen = build_input(nodes=NODES, templates=[template()], instances=[runs])
    found = explain(instance("new", **spec), seen, QueuedInstance(1000, datetime(2026, 1, 2, tzinfo=UTC), ""))
    return explanation_answer(found, lambda node_id: {"mac-2": "Two"}[node_id])


def test_it_would_go_there() -> None:
    found = answer()
    assert found["answer"] == {
        "node": "mac-2",
        "name": "Two",
        "needsPull": True,
        "template": {"id": TEMPLATE, "name": "macos-15", "tag": "v2", "version": 1},
    }
    assert (found["ahead"], found["placed"]) == (0, 0)
    free, full = found["nodes"]
    assert free["fits"]
    assert "why" not in free
    assert free["resources"] == {"vcpus": 0, "ofVcpus": 16, "ramMib": 0, "ofRamMib": 32 * 1024}
    assert full == {
        "node": "mac-1",
        "name": "Mac One",
        "fits": False,
        "needsPull": False,
        "running": 1,
        "fallback": 0,
        "why": "is full",
        "capacity": 1,
    }


def test_it_would_wait() -> None:
    found = answer(tag="nope")
    assert found["answer"] == {
        "reason": "TagNotFound",
        "message": "Template macos-15 has no tag nope: it has v1, v2",
    }
    assert found["nodes"] == []
