"""What the operator writes into an instance."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from anka_crds.api import AnkaInstance, Phase
from anka_crds.api.conditions import InstanceReason
from anka_crds.rules.condition_list import find
from anka_crds.rules.lifecycle import can_follow
from anka_kube import merge_patch
from anka_operator.cluster.stores import awaits_release
from anka_operator.instances import desired as rules
from anka_scheduler.catalog import ResolvedVersion
from anka_scheduler.decide import Binding
from anka_scheduler.ledger import Claim
from anka_scheduler.reasons import WaitReason
from support.conditions import is_true
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
FULL = WaitReason(InstanceReason.UNSCHEDULABLE, "0/3 nodes fit: 3 full")
NOW = START + timedelta(seconds=7, microseconds=5)


def binding(pull: bool = False, arch: str | None = "arm64", usb: str | None = None) -> Binding:
    return Binding(
        "uid-one", ResolvedVersion(TEMPLATE, "macos-15", "v1", 3, arch, "content"), Claim("mac-1", usb=usb), pull
    )


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
    patch = rules.bind_status(before, binding(pull), now=NOW, registry="http://registry:8089")
    conditions = patch.pop("conditions")
    request_id = patch.pop("requestId")
    assert patch == {
        "nodeName": "mac-1",
        "phase": phase,
        "template": {"id": TEMPLATE, "name": "macos-15", "tag": "v1", "version": 3, "contentId": "content"},
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
    again = rules.bind_status(instance(status=PENDING, meta={"version": 2}), binding(pull), now=NOW, registry=None)
    assert again["requestId"] != request_id
    assert rules.bind_status(before, binding(usb="336675856"), now=NOW, registry=None)["usbDevice"] == "336675856"
    assert "registry" not in again


def test_an_architecture_nobody_knows_is_left_out() -> None:
    assert "arch" not in rules.bind_status(instance(), binding(arch="riscv"), now=NOW, registry=None)
    assert "arch" not in rules.bind_status(instance(), binding(arch=None), now=NOW, registry=None)


def test_waiting_says_why_and_shows_it() -> None:
    before = instance(status=PENDING)
    assert not rules.already_reports(before, FULL)
    told = after(before, rules.wait_status(before, FULL, now=NOW))
    assert rules.already_reports(told, FULL)
    assert not rules.already_reports(
        told, WaitReason(InstanceReason.UNSCHEDULABLE, "0/3 nodes fit: 2 full, 1 draining")
    )
    assert not rules.already_reports(told, WaitReason(InstanceReason.NODE_NOT_FOUND, FULL.message))
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
    why = WaitReason(InstanceReason.UNSCHEDULABLE, "0/3 nodes fit: 3 lack vCPUs; mac-1 is kept free for it", 1)
    told = after(before, rules.wait_status(before, why, now=NOW))
    assert told.status.kept_free == 1
    assert rules.already_reports(told, why)
    # As an operator of an older version has told it.
    assert not rules.already_reports(
        told.model_copy(update={"status": told.status.model_copy(update={"kept_free": None})}), why
    )
    for patch in (
        rules.wait_status(told, FULL, now=NOW),
        rules.bind_status(told, binding(), now=NOW, registry=None),
        rules.deadline_status(told, now=NOW),
    ):
        assert after(told, patch).status.kept_free is None


def test_a_changed_spec_is_told_again() -> None:
    before = instance(status=PENDING)
    told = after(before, rules.wait_status(before, FULL, now=NOW))
    state_event = told.model_copy(update={"metadata": told.metadata.model_copy(update={"generation": 2})})
    assert not rules.already_reports(state_event, FULL)


def test_an_endless_reason_is_cut_and_still_recognised() -> None:
    why = WaitReason(InstanceReason.UNSCHEDULABLE, "x" * 10_000)
    told = after(instance(), rules.wait_status(instance(), why, now=NOW))
    condition = find(told.status.conditions, "Scheduled")
    assert condition is not None
    assert len(condition.message) == 4096
    assert rules.already_reports(told, why)


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
    failed = after(
        before, rules.node_loss_status(before, InstanceReason.NODE_LOST, "Node mac-1 is lost", now=NOW)
    ).status
    assert (failed.phase, failed.node_name, failed.message) == (
        Phase.ERROR,
        "mac-1",
        "Node mac-1 is lost",
    )
    assert failed.vm is not None
    assert failed.finished_at == NOW.replace(microsecond=0)
    assert is_true(failed.conditions, "Stalled")
    assert not is_true(failed.conditions, "Ready")


def test_lost_and_rescheduled_keeps_nothing_of_the_node() -> None:
    before = instance(status=RUNNING, nodeLostPolicy="Reschedule")
    moved = after(
        before, rules.node_loss_status(before, InstanceReason.NODE_LOST, "Node mac-1 is lost", now=NOW)
    ).status
    left = {key for key in moved.to_api() if key not in ("phase", "conditions", "observedGeneration", "updatedAt")}
    assert left == {"rescheduledAt"}
    assert moved.rescheduled_at == NOW.replace(microsecond=0)
    assert moved.phase is Phase.SCHEDULING
    assert not is_true(moved.conditions, "Scheduled")
    ready = find(moved.conditions, "Ready")
    assert ready is not None
    assert ready.message == "Node mac-1 is lost; waiting for another node"


@pytest.mark.parametrize("policy", ["Fail", "Reschedule"])
@pytest.mark.parametrize("phase", [phase for phase in Phase if phase not in (*rules.ENDED_PHASES, Phase.TERMINATING)])
def test_losing_a_node_is_a_step_that_lifecycles_know(phase: Phase, policy: str) -> None:
    before = instance(status={**RUNNING, "phase": phase.value}, nodeLostPolicy=policy)
    assert can_follow(phase, Phase(rules.node_loss_status(before, InstanceReason.NODE_LOST, "lost", now=NOW)["phase"]))


def test_lost_words() -> None:
    assert rules.describe_loss("mac-1", 301.4) == "Node mac-1 is lost: no heartbeat for 0:05:01"
    assert rules.describe_loss("mac-1", None) == "Node mac-1 was removed while the instance was on it"


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
    assert awaits_release(instance(meta=meta)) is wanted
