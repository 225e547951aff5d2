from __future__ import annotations

import math
from datetime import timedelta
from typing import Any

import pytest

from anka_crds.api import AnkaInstance, AnkaTemplate, SaveImage
from anka_crds.api.conditions import SaveReason
from anka_crds.rules.condition_list import find
from anka_operator.saves.desired import (
    SaveAction,
    SaveTransition,
    already_reports,
    decide_transition,
    done_status,
    expires_in,
    failure_status,
    is_elsewhere,
    resolve_target,
    start_status,
    wait_status,
)
from support.objects import START, instance, save_image, template

VM = {"uuid": "vm-1", "name": "mgmtManaged-x", "status": "running"}
RUNS: dict[str, Any] = {"phase": "Started", "nodeName": "mac-1", "vm": VM}
TAKEN: dict[str, Any] = {"nodeName": "mac-1", "vmUuid": "vm-1"}
LATER = START + timedelta(minutes=1)
DELETED = {"deletionTimestamp": "2026-01-01T00:00:00Z"}

NEW = {
    "no such instance": (None, SaveAction.FAIL, "InstanceNotFound"),
    "waits for a node": (instance(), SaveAction.WAIT, "InstanceStarting"),
    "pulls": (instance(status={**RUNS, "phase": "Pulling"}), SaveAction.WAIT, "InstanceStarting"),
    "runs": (instance(status=RUNS), SaveAction.START, "Saving"),
    "another save has its turn": (instance(status={**RUNS, "phase": "Pushing"}), SaveAction.START, "Saving"),
    "stopped": (instance(status={**RUNS, "phase": "Stopped"}), SaveAction.FAIL, "InstanceNotRunning"),
    "never started": (instance(status={"phase": "Error"}), SaveAction.FAIL, "InstanceNotRunning"),
    "is another's": (
        instance(status=RUNS, managedBy="example.com/other"),
        SaveAction.FAIL,
        "InstanceNotRunning",
    ),
    "is being deleted": (instance(status=RUNS, meta=DELETED), SaveAction.FAIL, "InstanceDeleted"),
}


@pytest.mark.parametrize("name", NEW)
def test_a_new_one(name: str) -> None:
    seen, action, reason = NEW[name]
    verdict = decide_transition(save_image(), seen, None)
    assert (verdict.action, verdict.reason) == (action, reason)
    assert verdict.instance_missing == (seen is None)


OTHER_VM = instance(status={**RUNS, "vm": {**VM, "uuid": "vm-2"}})
LATER_ON: dict[str, tuple[SaveImage, AnkaInstance | None, str | None, SaveAction]] = {
    "at work": (save_image(status=TAKEN), instance(status=RUNS), None, SaveAction.NOTHING),
    "at work, instance ends": (save_image(status=TAKEN), instance(status=RUNS, meta=DELETED), None, SaveAction.NOTHING),
    "node lost": (save_image(status=TAKEN), instance(status=RUNS), "Node mac-1 is lost", SaveAction.FAIL),
    "instance gone": (save_image(status=TAKEN), None, None, SaveAction.FAIL),
    "another instance of that name": (save_image(status=TAKEN), OTHER_VM, None, SaveAction.FAIL),
    "done": (save_image(status={**TAKEN, "phase": "Done"}), instance(status=RUNS), None, SaveAction.DELETE_INSTANCE),
    "done, being deleted": (
        save_image(status={**TAKEN, "phase": "Done"}), instance(status=RUNS, meta=DELETED), None, SaveAction.NOTHING,
    ),
    "done, gone": (save_image(status={**TAKEN, "phase": "Done"}), None, None, SaveAction.NOTHING),
    "done, another instance of that name": (
        save_image(status={**TAKEN, "phase": "Done"}), OTHER_VM, None, SaveAction.NOTHING,
    ),
    "done, the next of that name has no VM yet": (
        save_image(status={**TAKEN, "phase": "Done"}), instance(), None, SaveAction.NOTHING,
    ),
    "done, node lost": (
        save_image(status={**TAKEN, "phase": "Done"}), instance(status=RUNS), "lost", SaveAction.DELETE_INSTANCE,
    ),
    "failed": (save_image(status={**TAKEN, "phase": "Error"}), instance(status=RUNS), "lost", SaveAction.NOTHING),
    "being deleted": (save_image(meta=DELETED), None, None, SaveAction.NOTHING),
}  # fmt: skip


@pytest.mark.parametrize("name", LATER_ON)
def test_later_on(name: str) -> None:
    save, seen, lost, action = LATER_ON[name]
    assert decide_transition(save, seen, lost).action is action


def test_taken_up_in_one_patch() -> None:
    patch = start_status(save_image(), instance(status=RUNS), registry="http://registry:8089", now=LATER)
    assert patch | {
        "nodeName": "mac-1", "vmUuid": "vm-1", "registry": "http://registry:8089",
        "requestedAt": "2026-01-01T00:01:00Z", "observedGeneration": 1,
    } == patch  # fmt: skip
    assert [condition["type"] for condition in patch["conditions"]] == ["Ready", "Reconciling"]
    own = start_status(
        save_image(), instance(status={**RUNS, "registry": "http://own"}), registry="http://x", now=LATER
    )
    assert own["registry"] == "http://own"
    there = start_status(
        save_image(registry="http://push"), instance(status={**RUNS, "registry": "http://own"}), registry="x", now=LATER
    )
    assert there["registry"] == "http://push"
    assert "registry" not in start_status(save_image(), instance(status=RUNS), registry=None, now=LATER)
    with pytest.raises(ValueError, match="has no VM"):
        start_status(save_image(), instance(), registry=None, now=LATER)


@pytest.mark.parametrize(
    ("remote", "ours", "expected"),
    [
        (None, "http://r", False),
        ("http://r", "http://r", False),
        ("http://r/", "http://r", False),
        ("http://r", "http://s", True),
        ("http://r", None, True),
    ],
)
def test_another_registry(remote: str | None, ours: str | None, expected: bool) -> None:
    assert is_elsewhere(remote, ours) is expected


def test_done_says_where_it_is() -> None:
    there = save_image(registry="http://push:8089", targetTemplate="t", tag="v3")
    patch = done_status(there, is_seen=True, now=LATER)
    ready = next(one for one in patch["conditions"] if one["type"] == "Ready")
    assert ready["message"] == "Pushed as t:v3 to http://push:8089"


def test_waiting_is_told_once() -> None:
    save = save_image()
    verdict = decide_transition(save, instance(), None)
    assert not already_reports(save, verdict)
    told = save_image(status=wait_status(save, verdict, now=LATER))
    assert already_reports(told, verdict)
    ready = find(told.status.conditions, "Ready")
    assert ready is not None
    assert "Waits until the instance one is Started" in ready.message


def test_failed_says_why_at_both_places() -> None:
    save = save_image()
    patch = failure_status(save, decide_transition(save, None, None), now=LATER)
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


NAMED = template("t1", "macos-15", displayName="Sequoia")
TARGETS: dict[str, tuple[str, list[AnkaTemplate], str | None, SaveReason | None]] = {
    "an id": ("t1", [NAMED, template("t2", "t1", displayName="t1")], "t1", None),
    "a name in the registry": ("macos-15", [NAMED, template("t2", "other", displayName="macos-15")], "t1", None),
    "a name of two": ("macos-15", [template("t2"), NAMED], None, SaveReason.TEMPLATE_AMBIGUOUS),
    "a displayName": ("Sequoia", [NAMED], None, SaveReason.TEMPLATE_NOT_FOUND),
    "unknown: the agent asks the registry": ("x", [NAMED], None, None),
}


@pytest.mark.parametrize("name", TARGETS)
def test_what_a_target_means(name: str) -> None:
    word, templates, found, reason = TARGETS[name]
    target = resolve_target(word, templates)
    if reason is None:
        assert target == found
    else:
        assert isinstance(target, SaveTransition)
        assert (target.action, target.reason) == (SaveAction.FAIL, reason)
        assert "t1" in target.message
        assert "\n" not in target.message
