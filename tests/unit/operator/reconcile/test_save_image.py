from __future__ import annotations

import math
from datetime import timedelta
from typing import Any

import pytest

from anka_crds.api import AnkaInstance, SaveImage
from anka_crds.core.conditions import find
from anka_operator.reconcile.save_image import Action, expires_in, failed, judged, shows, taken_up, waiting
from support.objects import START, instance, save_image

VM = {"uuid": "vm-1", "name": "mgmtManaged-x", "status": "running"}
RUNS: dict[str, Any] = {"phase": "Started", "nodeName": "mac-1", "vm": VM}
TAKEN: dict[str, Any] = {"nodeName": "mac-1", "vmUuid": "vm-1"}
LATER = START + timedelta(minutes=1)
DELETED = {"deletionTimestamp": "2026-01-01T00:00:00Z"}

NEW = {
    "no such instance": (None, Action.FAIL, "InstanceNotFound"),
    "waits for a node": (instance(), Action.WAIT, "InstanceStarting"),
    "pulls": (instance(status={**RUNS, "phase": "Pulling"}), Action.WAIT, "InstanceStarting"),
    "runs": (instance(status=RUNS), Action.TAKE_UP, ""),
    "another save has its turn": (instance(status={**RUNS, "phase": "Pushing"}), Action.TAKE_UP, ""),
    "stopped": (instance(status={**RUNS, "phase": "Stopped"}), Action.FAIL, "InstanceNotRunning"),
    "never started": (instance(status={"phase": "Error"}), Action.FAIL, "InstanceNotRunning"),
    "is being deleted": (instance(status=RUNS, meta=DELETED), Action.FAIL, "InstanceDeleted"),
}


@pytest.mark.parametrize("name", NEW)
def test_a_new_one(name: str) -> None:
    seen, action, reason = NEW[name]
    verdict = judged(save_image(), seen, None)
    assert (verdict.action, verdict.reason) == (action, reason)
    assert verdict.missing == (seen is None)


OTHER_VM = instance(status={**RUNS, "vm": {**VM, "uuid": "vm-2"}})
LATER_ON: dict[str, tuple[SaveImage, AnkaInstance | None, str | None, Action]] = {
    "at work": (save_image(status=TAKEN), instance(status=RUNS), None, Action.NOTHING),
    "at work, instance ends": (save_image(status=TAKEN), instance(status=RUNS, meta=DELETED), None, Action.NOTHING),
    "node lost": (save_image(status=TAKEN), instance(status=RUNS), "Node mac-1 is lost", Action.FAIL),
    "instance gone": (save_image(status=TAKEN), None, None, Action.FAIL),
    "another instance of that name": (save_image(status=TAKEN), OTHER_VM, None, Action.FAIL),
    "done": (save_image(status={**TAKEN, "phase": "Done"}), instance(status=RUNS), None, Action.DELETE_INSTANCE),
    "done, being deleted": (
        save_image(status={**TAKEN, "phase": "Done"}), instance(status=RUNS, meta=DELETED), None, Action.NOTHING,
    ),
    "done, gone": (save_image(status={**TAKEN, "phase": "Done"}), None, None, Action.NOTHING),
    "done, another instance of that name": (
        save_image(status={**TAKEN, "phase": "Done"}), OTHER_VM, None, Action.NOTHING,
    ),
    "done, the next of that name has no VM yet": (
        save_image(status={**TAKEN, "phase": "Done"}), instance(), None, Action.NOTHING,
    ),
    "done, node lost": (
        save_image(status={**TAKEN, "phase": "Done"}), instance(status=RUNS), "lost", Action.DELETE_INSTANCE,
    ),
    "failed": (save_image(status={**TAKEN, "phase": "Error"}), instance(status=RUNS), "lost", Action.NOTHING),
    "being deleted": (save_image(meta=DELETED), None, None, Action.NOTHING),
}  # fmt: skip


@pytest.mark.parametrize("name", LATER_ON)
def test_later_on(name: str) -> None:
    save, seen, lost, action = LATER_ON[name]
    assert judged(save, seen, lost).action is action


def test_taken_up_in_one_patch() -> None:
    patch = taken_up(save_image(), instance(status=RUNS), registry="http://registry:8089", now=LATER)
    assert patch | {
        "nodeName": "mac-1", "vmUuid": "vm-1", "registry": "http://registry:8089",
        "requestedAt": "2026-01-01T00:01:00Z", "observedGeneration": 1,
    } == patch  # fmt: skip
    assert [condition["type"] for condition in patch["conditions"]] == ["Ready", "Reconciling"]
    own = taken_up(save_image(), instance(status={**RUNS, "registry": "http://own"}), registry="http://x", now=LATER)
    assert own["registry"] == "http://own"
    assert "registry" not in taken_up(save_image(), instance(status=RUNS), registry=None, now=LATER)
    with pytest.raises(ValueError, match="has no VM"):
        taken_up(save_image(), instance(), registry=None, now=LATER)


def test_waiting_is_told_once() -> None:
    save = save_image()
    verdict = judged(save, instance(), None)
    assert not shows(save, verdict)
    told = save_image(status=waiting(save, verdict, now=LATER))
    assert shows(told, verdict)
    ready = find(told.status.conditions, "Ready")
    assert ready is not None
    assert "Waits until the instance one is Started" in ready.message


def test_failed_says_why_at_both_places() -> None:
    save = save_image()
    patch = failed(save, judged(save, None, None), now=LATER)
    assert patch["phase"] == "Error"
    assert patch["error"] == {
        "message": "There is no AnkaInstance one in namespace default",
        "type": "InstanceNotFound",
    }
    assert {condition["type"] for condition in patch["conditions"]} == {"Ready", "Stalled"}
    assert patch["requestedAt"] == "2026-01-01T00:01:00Z"


def ended(phase: str, condition: str, ttl: int | None, status: str = "True") -> SaveImage:
    given = {"type": condition, "status": status, "reason": "x", "message": "", "lastTransitionTime": START.isoformat()}
    more: dict[str, Any] = {} if ttl is None else {"ttlSecondsAfterFinished": ttl}
    return save_image(status={**TAKEN, "phase": phase, "conditions": [given]}, **more)


@pytest.mark.parametrize(
    ("save", "left"),
    [
        (ended("Done", "Ready", 100), 40.0),
        (ended("Error", "Stalled", 100), 40.0),
        (ended("Done", "Ready", 60), 0.0),
        (ended("Error", "Stalled", 0), 0.0),
        (ended("Done", "Ready", None), math.inf),
        # Ready=False began long before it failed, and one that is at work has no end.
        (ended("Error", "Ready", 0, "False"), math.inf),
        (ended("Pending", "Reconciling", 0), math.inf),
    ],
)
def test_time_to_live(save: SaveImage, left: float) -> None:
    assert expires_in(save, LATER) == left
