"""What the operator does about a SaveImage: give it to the Mac of its instance, end it when nobody else can, and end
the instance once it is saved. In between, the agent of that Mac has it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from anka_crds.api.instance import AnkaInstance
from anka_crds.api.phase import Phase
from anka_crds.api.save_image import SaveImage, SaveImageError
from anka_crds.core.conditions import find, summarised
from anka_crds.core.lifecycle import Health
from anka_operator.reconcile.patch import Status, bounded, listed, settled, text

STARTING = frozenset({Phase.SCHEDULING, Phase.PULLING})
RUNNING = frozenset({Phase.STARTED, Phase.PUSHING})
"""Pushing: another request has its turn; this one waits for it on the Mac."""


class Action(StrEnum):
    NOTHING = "nothing"
    WAIT = "wait"
    TAKE_UP = "take up"
    FAIL = "fail"
    DELETE_INSTANCE = "delete instance"


@dataclass(frozen=True, slots=True)
class Verdict:
    """`reason` and `message`: of WAIT and FAIL."""

    action: Action
    reason: str = ""
    message: str = ""
    missing: bool = False
    """Concluded from the absence of the instance: a cache may be late, so the API is asked before it counts."""


NOTHING = Verdict(Action.NOTHING)


def judged(save: SaveImage, instance: AnkaInstance | None, node_lost: str | None) -> Verdict:
    """What is to be done. `instance`: the one that it names; `node_lost`: what happened to its node, in words, if it is
    lost or gone."""
    if save.metadata.deletion_timestamp is not None or save.status.phase == "Error":
        return NOTHING
    if save.status.phase == "Done":
        alive = instance is not None and instance.metadata.deletion_timestamp is None
        return Verdict(Action.DELETE_INSTANCE) if alive and _is_its(save, instance) else NOTHING
    if save.status.node_name is None:
        return _new(save, instance)
    if node_lost is not None:
        return Verdict(Action.FAIL, "NodeLost", node_lost)
    if instance is None or not _is_its(save, instance):
        words = f"The instance {save.spec.instance} was deleted before it was saved"
        return Verdict(Action.FAIL, "InstanceDeleted", words, missing=True)
    return NOTHING


def expires_in(save: SaveImage, now: datetime) -> float:
    """Seconds until the object is to be deleted; infinite without a time to live, or before its end."""
    ttl = save.spec.ttl_seconds_after_finished
    # What the end turns to True, and nothing before or after it.
    ended = find(save.status.conditions, {"Done": "Ready", "Error": "Stalled"}.get(save.status.phase, ""))
    if ttl is None or ended is None or ended.status != "True":
        return math.inf
    return max(0.0, ttl - (now - ended.last_transition_time).total_seconds())


def _new(save: SaveImage, instance: AnkaInstance | None) -> Verdict:
    name = save.spec.instance
    if instance is None:
        words = f"There is no AnkaInstance {name} in namespace {save.metadata.namespace}"
        return Verdict(Action.FAIL, "InstanceNotFound", words, missing=True)
    phase = instance.status.phase
    if instance.metadata.deletion_timestamp is not None:
        return Verdict(Action.FAIL, "InstanceDeleted", f"The instance {name} is being deleted")
    if phase in STARTING:
        return Verdict(Action.WAIT, "InstanceStarting", f"Waits until the instance {name} is {Phase.STARTED}")
    if phase not in RUNNING or instance.status.node_name is None or instance.status.vm is None:
        words = f"The instance {name} is {phase}: only one that is {Phase.STARTED} can be saved"
        return Verdict(Action.FAIL, "InstanceNotRunning", words)
    return Verdict(Action.TAKE_UP)


def _is_its(save: SaveImage, instance: AnkaInstance | None) -> bool:
    """Not another instance that has the name by now, or the same one on its next Mac."""
    vm = None if instance is None else instance.status.vm
    return vm is not None and vm.uuid == save.status.vm_uuid


def taken_up(save: SaveImage, instance: AnkaInstance, *, registry: str | None, now: datetime) -> Status:
    """To the agent of the instance's node, in one write."""
    if instance.status.vm is None:
        raise ValueError(f"{instance.metadata.name} has no VM: it is not taken up")
    node = instance.status.node_name
    remote = instance.status.registry or registry
    return {
        **_told(save, Health.PROGRESSING, "Saving", f"The agent of {node} saves it", now),
        "nodeName": node,
        "vmUuid": instance.status.vm.uuid,
        "requestedAt": text(now),
        **({"registry": remote} if remote else {}),
    }


def waiting(save: SaveImage, verdict: Verdict, *, now: datetime) -> Status:
    return _told(save, Health.PROGRESSING, verdict.reason, verdict.message, now)


def failed(save: SaveImage, verdict: Verdict, *, now: datetime) -> Status:
    error = SaveImageError(message=bounded(verdict.message), type=verdict.reason)
    return {
        **_told(save, Health.FAILED, verdict.reason, bounded(verdict.message), now),
        "phase": "Error",
        "error": error.to_api(),
        **({} if save.status.requested_at else {"requestedAt": text(now)}),
    }


def shows(save: SaveImage, verdict: Verdict) -> bool:
    """Whether the object says so already."""
    ready = find(save.status.conditions, "Ready")
    return ready is not None and (ready.reason, ready.message) == (verdict.reason, verdict.message)


def _told(save: SaveImage, health: Health, reason: str, message: str, now: datetime) -> Status:
    generation = save.metadata.generation
    conditions = summarised(settled(save.status.conditions), health, reason, message, generation=generation, now=now)
    return {"observedGeneration": generation, "conditions": listed(conditions)}
