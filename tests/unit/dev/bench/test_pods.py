"""What is read from Pods and Nodes."""

from __future__ import annotations

from typing import Any

import pytest

from anka_dev.bench import pods

NEW: dict[str, Any] = {"spec": {}}
BOUND = {"spec": {"nodeName": "mac-0001"}, "status": {"phase": "Pending"}}
RUNNING = {"spec": {"nodeName": "mac-0001"}, "status": {"phase": "Running"}}


@pytest.mark.parametrize(
    ("pod", "is_bound", "is_running"), [(NEW, False, False), (BOUND, True, False), (RUNNING, True, True)]
)
def test_how_far_a_pod_is(pod: dict[str, Any], is_bound: bool, is_running: bool) -> None:
    assert (pods.is_bound(pod), pods.is_running(pod)) == (is_bound, is_running)


def condition(kind: str, status: str) -> dict[str, str]:
    return {"type": kind, "status": status}


@pytest.mark.parametrize(
    ("status", "is_ready"),
    [
        ({}, False),
        ({"conditions": [condition("Ready", "False")]}, False),
        ({"conditions": [condition("MemoryPressure", "True")]}, False),
        ({"conditions": [condition("MemoryPressure", "False"), condition("Ready", "True")]}, True),
    ],
)
def test_a_node_is_ready_by_that_condition_alone(status: dict[str, Any], is_ready: bool) -> None:
    assert pods.is_node_ready({"status": status}) is is_ready
