"""What the operator writes into an AnkaInstance: before it has a node, and after it lost it."""

from __future__ import annotations

from datetime import datetime, timedelta

from anka_crds.api.instance import AnkaInstance
from anka_crds.api.meta import FINALIZER, Condition
from anka_crds.api.phase import Phase
from anka_crds.api.vm_info import ResolvedTemplate
from anka_crds.core.conditions import find, summarised, with_condition
from anka_crds.core.lifecycle import HEALTH, Health, may_follow
from anka_crds.core.lifetime import LATE, late_words
from anka_crds.core.naming import stable_uuid
from anka_operator.reconcile.patch import Status, bounded, listed, settled, text
from anka_operator.scheduler.decide import Binding
from anka_operator.scheduler.reasons import Unscheduled

SCHEDULED = "Scheduled"

OVER = frozenset({Phase.ERROR, Phase.TERMINATED})
"""A lost node changes nothing any more for these."""

_OF_THE_NODE = (
    "nodeName",
    "vm",
    "template",
    "arch",
    "requestId",
    "progressPercent",
    "startupScript",
    "macAddress",
    "vlan",
    "usbDevice",
    "scheduledAt",
    "startedAt",
    "finishedAt",
    "message",
    "restartedAt",
)
"""What an instance that starts again elsewhere must not keep."""


def bound(instance: AnkaInstance, binding: Binding, *, now: datetime, registry: str | None) -> Status:
    """The bind: node, resolved template and what follows from it, in one write."""
    template = binding.template
    phase = Phase.PULLING if binding.pull_needed else Phase.SCHEDULING
    message = f"Pulling {template.name}:{template.tag}" if binding.pull_needed else "Starting"
    conditions = _scheduled(instance, "True", "Scheduled", f"Runs on {binding.node}", now)
    conditions = summarised(
        conditions, Health.PROGRESSING, phase.value, f"{message} on {binding.node}", generation=_gen(instance), now=now
    )
    resolved = ResolvedTemplate(id=template.id, name=template.name, tag=template.tag, version=template.version)
    return {
        "nodeName": binding.node,
        "phase": phase.value,
        "template": resolved.to_api(),
        "scheduledAt": text(now),
        "updatedAt": text(now),
        "requestId": stable_uuid("start", instance.metadata.uid, instance.metadata.resource_version),
        "observedGeneration": _gen(instance),
        "conditions": listed(conditions),
        **_no_longer_waiting(instance),
        **({"arch": template.arch} if template.arch in ("amd64", "arm64") else {}),
        **({"registry": registry} if registry else {}),
        **({"usbDevice": binding.claim.usb} if binding.claim.usb is not None else {}),
    }


def waiting(instance: AnkaInstance, why: Unscheduled, *, now: datetime) -> Status:
    """Why it has no node yet."""
    message = bounded(why.message)
    conditions = _scheduled(instance, "False", why.reason, message, now)
    conditions = summarised(
        conditions, HEALTH[Phase.SCHEDULING], why.reason, message, generation=_gen(instance), now=now
    )
    return {
        "phase": Phase.SCHEDULING.value,
        "observedGeneration": _gen(instance),
        "updatedAt": text(now),
        "conditions": listed(conditions),
        **({"keptFree": why.kept} if why.kept else _no_longer_waiting(instance)),
    }


def shows(instance: AnkaInstance, why: Unscheduled) -> bool:
    """Whether the instance already says so."""
    known = find(instance.status.conditions, SCHEDULED)
    return (
        known is not None
        and known.status == "False"
        and known.reason == why.reason
        and known.message == bounded(why.message)
        and (instance.status.kept_free or 0) == why.kept
        and instance.status.observed_generation == _gen(instance)
    )


def lost(instance: AnkaInstance, reason: str, message: str, *, now: datetime) -> Status:
    """Its node is lost: it failed, or it waits for another node (spec.nodeLostPolicy)."""
    # One that had stopped, or was about to, is not started again elsewhere: nobody asked for that.
    if instance.spec.node_lost_policy == "Reschedule" and may_follow(instance.status.phase, Phase.SCHEDULING):
        return _again(instance, reason, message, now)
    conditions = summarised(
        settled(instance.status.conditions), Health.FAILED, reason, message, generation=_gen(instance), now=now
    )
    return _error(instance, message, conditions, now)


def overdue(instance: AnkaInstance, *, now: datetime) -> Status:
    """It got no node within spec.startDeadlineSeconds: it failed. Its condition Scheduled goes on saying why."""
    known = find(instance.status.conditions, SCHEDULED)
    why = known.message if known is not None and known.status == "False" else "it was not told why"
    message = bounded(f"{late_words(instance)}: no node was found ({why})")
    conditions = summarised(
        settled(instance.status.conditions), Health.FAILED, LATE, message, generation=_gen(instance), now=now
    )
    return _error(instance, message, conditions, now)


def _error(instance: AnkaInstance, message: str, conditions: list[Condition], now: datetime) -> Status:
    return {
        "phase": Phase.ERROR.value,
        "message": message,
        "progressPercent": None,
        "finishedAt": text(now),
        "updatedAt": text(now),
        "observedGeneration": _gen(instance),
        "conditions": listed(conditions),
        **_no_longer_waiting(instance),
    }


def _no_longer_waiting(instance: AnkaInstance) -> Status:
    return {"keptFree": None} if instance.status.kept_free is not None else {}


def _again(instance: AnkaInstance, reason: str, message: str, now: datetime) -> Status:
    words = f"{message}; waiting for another node"
    conditions = _scheduled(instance, "False", reason, words, now)
    conditions = summarised(conditions, Health.PROGRESSING, reason, words, generation=_gen(instance), now=now)
    return {
        **dict.fromkeys(_OF_THE_NODE),
        "phase": Phase.SCHEDULING.value,
        "rescheduledAt": text(now),
        "updatedAt": text(now),
        "observedGeneration": _gen(instance),
        "conditions": listed(conditions),
    }


def lost_words(node: str, seconds: float | None) -> str:
    """Which node, and how long it has been silent; None: its object is gone."""
    if seconds is None:
        return f"Node {node} was removed while the instance was on it"
    return f"Node {node} is lost: no heartbeat for {timedelta(seconds=round(seconds))}"


def with_finalizer(instance: AnkaInstance) -> list[str]:
    return [*(name for name in instance.metadata.finalizers if name != FINALIZER), FINALIZER]


def without_finalizer(instance: AnkaInstance) -> list[str] | None:
    """For a merge patch: None, which deletes the key, when no other is left."""
    return [name for name in instance.metadata.finalizers if name != FINALIZER] or None


def held(instance: AnkaInstance) -> bool:
    """Whether it is being deleted and waits for our finalizer."""
    return instance.metadata.deletion_timestamp is not None and FINALIZER in instance.metadata.finalizers


def _scheduled(instance: AnkaInstance, status: str, reason: str, message: str, now: datetime) -> list[Condition]:
    return with_condition(
        settled(instance.status.conditions),
        SCHEDULED,
        "True" if status == "True" else "False",
        reason,
        message,
        generation=_gen(instance),
        now=now,
    )


def _gen(instance: AnkaInstance) -> int:
    return instance.metadata.generation
