"""What the operator writes into an instance."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from anka_crds.api import AnkaInstance, Phase
from anka_crds.core.conditions import find, is_true
from anka_crds.core.lifecycle import may_follow
from anka_crds.kube import merge_patch
from anka_operator.reconcile import instance as rules
from anka_operator.scheduler.catalog import Resolved
from anka_operator.scheduler.decide import Binding
from anka_operator.scheduler.ledger import Claim
from anka_operator.scheduler.reasons import Unscheduled
from support.objects import FINALIZER, START, TEMPLATE, instance

PENDING = {
    "phase": "Scheduling",
    "observedGeneration": -1,
    "conditions": [
        {
            "type": "Ready",
            "status": "Unknown",
            "reason": "Pending",
            "message": "Waiting for the controller",
            "lastTransitionTime": "1970-01-01T00:00:00Z",
        }
    ],
}
FULL = Unscheduled("Unschedulable", "0/3 nodes fit: 3 full")
NOW = START + timedelta(seconds=7, microseconds=5)


def binding(pull: bool = False, arch: str | None = "arm64", usb: str | None = None) -> Binding:
    return Binding("uid-one", Resolved(TEMPLATE, "macos-15", "v1", 3, arch), Claim("mac-1", usb=usb), pull)


def after(before: AnkaInstance, patch: dict[str, Any]) -> AnkaInstance:
    """The object as the apiserver has it after a merge patch of its status. No null may get into a list."""
    assert "null" not in str(patch.get("conditions"))
    return AnkaInstance.from_api(merge_patch.apply(before.to_api(), {"status": merge_patch.prepare(patch)}))


@pytest.mark.parametrize(
    ("pull", "phase", "words"),
    [(False, "Scheduling", "Starting on mac-1"), (True, "Pulling", "Pulling macos-15:v1 on mac-1")],
)
def test_bound(pull: bool, phase: str, words: str) -> None:
    before = instance(status=PENDING)
    patch = rules.bound(before, binding(pull), now=NOW, registry="http://registry:8089")
    conditions = patch.pop("conditions")
    request_id = patch.pop("requestId")
    assert patch == {
        "nodeName": "mac-1",
        "phase": phase,
        "template": {"id": TEMPLATE, "name": "macos-15", "tag": "v1", "version": 3},
        "arch": "arm64",
        "registry": "http://registry:8089",
        "scheduledAt": "2026-01-01T00:00:07Z",
        "updatedAt": "2026-01-01T00:00:07Z",
        "observedGeneration": 1,
    }
    assert [(one["type"], one["status"], one["message"]) for one in conditions] == [
        ("Scheduled", "True", "Runs on mac-1"),
        ("Ready", "False", words),
        ("Reconciling", "True", words),
    ]
    assert all(one["lastTransitionTime"] == "2026-01-01T00:00:07Z" for one in conditions)
    again = rules.bound(instance(status=PENDING, meta={"version": 2}), binding(pull), now=NOW, registry=None)
    assert again["requestId"] != request_id
    assert rules.bound(before, binding(usb="336675856"), now=NOW, registry=None)["usbDevice"] == "336675856"
    assert "registry" not in again


def test_an_architecture_nobody_knows_is_left_out() -> None:
    assert "arch" not in rules.bound(instance(), binding(arch="riscv"), now=NOW, registry=None)
    assert "arch" not in rules.bound(instance(), binding(arch=None), now=NOW, registry=None)


def test_waiting_says_why_and_shows_it() -> None:
    before = instance(status=PENDING)
    assert not rules.shows(before, FULL)
    told = after(before, rules.waiting(before, FULL, now=NOW))
    assert rules.shows(told, FULL)
    assert not rules.shows(told, Unscheduled("Unschedulable", "0/3 nodes fit: 2 full, 1 draining"))
    assert not rules.shows(told, Unscheduled("NodeNotFound", FULL.message))
    scheduled, ready = (find(told.status.conditions, kind) for kind in ("Scheduled", "Ready"))
    assert scheduled is not None
    assert ready is not None
    assert (scheduled.status, scheduled.reason, scheduled.message) == ("False", "Unschedulable", FULL.message)
    assert (ready.status, ready.message, is_true(told.status.conditions, "Reconciling")) == (
        "False",
        FULL.message,
        True,
    )
    assert told.status.observed_generation == 1


def test_how_many_nodes_are_kept_free_is_told_until_it_has_one() -> None:
    before = instance(status=PENDING)
    why = Unscheduled("Unschedulable", "0/3 nodes fit: 3 lack vCPUs; mac-1 takes nobody else meanwhile", 1)
    told = after(before, rules.waiting(before, why, now=NOW))
    assert told.status.kept_free == 1
    assert rules.shows(told, why)
    # As an operator of an older version has told it.
    assert not rules.shows(told.model_copy(update={"status": told.status.model_copy(update={"kept_free": None})}), why)
    for patch in (
        rules.waiting(told, FULL, now=NOW),
        rules.bound(told, binding(), now=NOW, registry=None),
        rules.overdue(told, now=NOW),
    ):
        assert after(told, patch).status.kept_free is None


def test_a_changed_spec_is_told_again() -> None:
    before = instance(status=PENDING)
    told = after(before, rules.waiting(before, FULL, now=NOW))
    changed = told.model_copy(update={"metadata": told.metadata.model_copy(update={"generation": 2})})
    assert not rules.shows(changed, FULL)


def test_an_endless_reason_is_cut_and_still_recognised() -> None:
    why = Unscheduled("Unschedulable", "x" * 10_000)
    told = after(instance(), rules.waiting(instance(), why, now=NOW))
    condition = find(told.status.conditions, "Scheduled")
    assert condition is not None
    assert len(condition.message) == 4096
    assert rules.shows(told, why)


RUNNING = {
    "phase": "Started",
    "nodeName": "mac-1",
    "template": {"id": TEMPLATE, "name": "macos-15", "tag": "v1", "version": 3},
    "vm": {"uuid": "u", "name": "n", "status": "running", "ip": "192.168.64.2"},
    "requestId": "r",
    "startedAt": "2026-01-01T00:00:00Z",
    "scheduledAt": "2026-01-01T00:00:00Z",
    "macAddress": "00:1B:44:11:3A:B7",
    "conditions": [
        {
            "type": kind,
            "status": "True",
            "reason": "Started",
            "message": "",
            "lastTransitionTime": "2026-01-01T00:00:00Z",
        }
        for kind in ("Scheduled", "Ready")
    ],
}


def test_lost_fails() -> None:
    before = instance(status=RUNNING)
    failed = after(before, rules.lost(before, "NodeLost", "Node mac-1 is lost", now=NOW)).status
    assert (failed.phase, failed.node_name, failed.message) == (Phase.ERROR, "mac-1", "Node mac-1 is lost")
    assert failed.vm is not None
    assert failed.finished_at == NOW.replace(microsecond=0)
    assert is_true(failed.conditions, "Stalled")
    assert not is_true(failed.conditions, "Ready")


def test_lost_and_rescheduled_keeps_nothing_of_the_node() -> None:
    before = instance(status=RUNNING, nodeLostPolicy="Reschedule")
    moved = after(before, rules.lost(before, "NodeLost", "Node mac-1 is lost", now=NOW)).status
    kept = {key for key in moved.to_api() if key not in ("phase", "conditions", "observedGeneration", "updatedAt")}
    assert kept == {"rescheduledAt"}
    assert moved.rescheduled_at == NOW.replace(microsecond=0)
    assert moved.phase is Phase.SCHEDULING
    assert not is_true(moved.conditions, "Scheduled")
    ready = find(moved.conditions, "Ready")
    assert ready is not None
    assert ready.message == "Node mac-1 is lost; waiting for another node"


@pytest.mark.parametrize("policy", ["Fail", "Reschedule"])
@pytest.mark.parametrize("phase", [phase for phase in Phase if phase not in (*rules.OVER, Phase.TERMINATING)])
def test_losing_a_node_is_a_step_that_lifecycles_know(phase: Phase, policy: str) -> None:
    before = instance(status={**RUNNING, "phase": phase.value}, nodeLostPolicy=policy)
    assert may_follow(phase, Phase(rules.lost(before, "NodeLost", "lost", now=NOW)["phase"]))


def test_lost_words() -> None:
    assert rules.lost_words("mac-1", 301.4) == "Node mac-1 is lost: no heartbeat for 0:05:01"
    assert rules.lost_words("mac-1", None) == "Node mac-1 was removed while the instance was on it"


def test_finalizers_of_others_stay() -> None:
    others = instance(meta={"finalizers": ["a", FINALIZER, "b"]})
    assert rules.without_finalizer(others) == ["a", "b"]
    assert rules.without_finalizer(instance()) is None
    assert rules.with_finalizer(others) == ["a", "b", FINALIZER]
    assert rules.with_finalizer(instance(meta={"finalizers": []})) == [FINALIZER]


@pytest.mark.parametrize(
    ("meta", "wanted"),
    [
        ({}, False),
        ({"deletionTimestamp": "2026-01-01T00:00:00Z"}, True),
        ({"deletionTimestamp": "2026-01-01T00:00:00Z", "finalizers": ["other"]}, False),
    ],
)
def test_held(meta: dict[str, Any], wanted: bool) -> None:
    assert rules.held(instance(meta=meta)) is wanted
