"""Status of an AnkaInstance as far as the operator writes it: before it has a node, and after it lost its node."""

from datetime import datetime, timedelta

from anka_crds.api.conditions import ConditionType, InstanceReason
from anka_crds.api.instance import AnkaInstance, Refusal
from anka_crds.api.meta import FINALIZER, Condition
from anka_crds.api.states import Phase
from anka_crds.api.vm_info import ResolvedTemplate
from anka_crds.rules.condition_list import ConditionStatus, find, with_condition
from anka_crds.rules.lifecycle import HEALTH, Health, can_follow
from anka_crds.rules.lifetime import late_message
from anka_crds.rules.mac_addresses import format_address
from anka_crds.rules.naming import stable_uuid
from anka_crds.rules.text import format_time, shorten
from anka_operator.status_patch import StatusPatch, to_list, with_own_health, without_initial
from anka_scheduler.decide import Binding
from anka_scheduler.reasons import WaitReason

ENDED_PHASES = frozenset({Phase.ERROR, Phase.TERMINATED})
"""Losing the node changes nothing in these phases."""

PER_NODE_FIELDS = (
    "nodeName", "vm", "template", "arch", "requestId", "progressPercent", "startupScript", "macAddress",
    "vlan", "usbDevice", "scheduledAt", "startedAt", "finishedAt", "message", "restartedAt",
)  # fmt: skip
"""Fields of the status that an instance must not keep when it starts again on another node."""


def bind_status(
    instance: AnkaInstance, binding: Binding, *, now: datetime, registry: str | None, is_confirmed: bool = True
) -> StatusPatch:
    """The bind: node, resolved template and what follows from it, in one write. `is_confirmed`: whether the registry
    answered what the template is."""
    template = binding.template
    phase = Phase.PULLING if binding.needs_pull else Phase.SCHEDULING
    reason = InstanceReason.PULLING if binding.needs_pull else InstanceReason.SCHEDULING
    message = f"Pulling {template.name}:{template.tag}" if binding.needs_pull else "Starting"
    doubt = "" if is_confirmed else f"; the registry did not answer: {template.name}:{template.tag} as last known"
    scheduled = shorten(f"Runs on {binding.node}{doubt}")
    conditions = _with_scheduled(instance, "True", InstanceReason.SCHEDULED, scheduled, now)
    message = f"{message} on {binding.node}"
    conditions = with_own_health(instance, Health.PROGRESSING, reason, message, now, conditions=conditions)
    resolved = ResolvedTemplate(
        id=template.id,
        name=template.name,
        tag=template.tag,
        version=template.version,
        content_id=template.content_id,
    )
    return {
        "nodeName": binding.node,
        "phase": phase.value,
        "template": resolved.to_api(),
        "scheduledAt": format_time(now),
        "updatedAt": format_time(now),
        "requestId": stable_uuid("start", instance.metadata.uid, instance.metadata.resource_version),
        "observedGeneration": _generation(instance),
        "conditions": to_list(conditions),
        **_without_kept_free(instance),
        **({"arch": template.arch} if template.arch in ("amd64", "arm64") else {}),
        **({"registry": registry} if registry else {}),
        **({"usbDevice": binding.claim.usb} if binding.claim.usb is not None else {}),
        **({"macAddress": format_address(binding.mac_address)} if binding.mac_address is not None else {}),
    }


def wait_status(instance: AnkaInstance, why: WaitReason, *, now: datetime) -> StatusPatch:
    """The instance has no node yet, and why."""
    message = shorten(why.message)
    conditions = _with_scheduled(instance, "False", why.reason, message, now)
    health = HEALTH[Phase.SCHEDULING]
    conditions = with_own_health(instance, health, why.reason, message, now, conditions=conditions)
    return {
        "phase": Phase.SCHEDULING.value,
        "observedGeneration": _generation(instance),
        "updatedAt": format_time(now),
        "conditions": to_list(conditions),
        **({"keptFree": why.reserved} if why.reserved else _without_kept_free(instance)),
    }


def already_reports(instance: AnkaInstance, why: WaitReason) -> bool:
    """Whether the status already says so."""
    known = find(instance.status.conditions, ConditionType.SCHEDULED)
    return (
        known is not None
        and known.status == "False"
        and known.reason == why.reason
        and known.message == shorten(why.message)
        and (instance.status.kept_free or 0) == why.reserved
        and instance.status.observed_generation == _generation(instance)
    )


def node_loss_status(instance: AnkaInstance, reason: InstanceReason, message: str, *, now: datetime) -> StatusPatch:
    """The node is lost: the instance fails, or waits for another node (spec.nodeLostPolicy)."""
    # A stopped or stopping instance is not started again elsewhere: its spec does not ask for a start.
    if instance.spec.node_lost_policy == "Reschedule" and can_follow(instance.status.phase, Phase.SCHEDULING):
        return {**_requeue_status(instance, reason, message, now), "rescheduledAt": format_time(now)}
    return _failure_status(instance, reason, message, now)


def refusal_status(instance: AnkaInstance, refusal: Refusal, *, others: bool, now: datetime) -> StatusPatch:
    """Its node could not start it: it waits for another one, or fails with what was wrong. `others`: whether there are
    Macs that could run it."""
    reason = InstanceReason.parse(refusal.reason, InstanceReason.FAILED)
    if not others:
        return _failure_status(instance, reason, refusal.message, now)
    return _requeue_status(instance, reason, f"{refusal.node_name} could not start it: {refusal.message}", now)


def deadline_status(instance: AnkaInstance, *, now: datetime) -> StatusPatch:
    """The instance fails: it got no node within spec.startDeadlineSeconds. Condition Scheduled keeps the reason."""
    known = find(instance.status.conditions, ConditionType.SCHEDULED)
    why = known.message if known is not None and known.status == "False" else "no reason was recorded"
    message = shorten(f"{late_message(instance)}: no node was found ({why})")
    return _failure_status(instance, InstanceReason.START_DEADLINE_EXCEEDED, message, now)


def address_taken_status(instance: AnkaInstance, address: str, holder: str, *, now: datetime) -> StatusPatch:
    """The instance fails: it asks for a MAC address that another one has. `holder`: namespace and name of that."""
    message = shorten(f"MAC address {address} is used by instance {holder}: ask for another one, or for none")
    return _failure_status(instance, InstanceReason.MAC_ADDRESS_TAKEN, message, now)


def _failure_status(instance: AnkaInstance, reason: InstanceReason, message: str, now: datetime) -> StatusPatch:
    conditions = with_own_health(instance, Health.FAILED, reason, message, now)
    return {
        "phase": Phase.ERROR.value,
        "message": message,
        "progressPercent": None,
        "finishedAt": format_time(now),
        "updatedAt": format_time(now),
        "observedGeneration": _generation(instance),
        "conditions": to_list(conditions),
        **_without_kept_free(instance),
    }


def _without_kept_free(instance: AnkaInstance) -> StatusPatch:
    return {"keptFree": None} if instance.status.kept_free is not None else {}


def _requeue_status(instance: AnkaInstance, reason: InstanceReason, why: str, now: datetime) -> StatusPatch:
    """It waits for another node, as one that never had any."""
    message = shorten(f"{why}; waiting for another node")
    conditions = _with_scheduled(instance, "False", reason, message, now)
    conditions = with_own_health(instance, Health.PROGRESSING, reason, message, now, conditions=conditions)
    return {
        **dict.fromkeys(PER_NODE_FIELDS),
        "phase": Phase.SCHEDULING.value,
        "updatedAt": format_time(now),
        "observedGeneration": _generation(instance),
        "conditions": to_list(conditions),
    }


def describe_loss(node: str, seconds: float | None) -> str:
    """`seconds`: how long the node has been silent; None: its AnkaNode was deleted."""
    if seconds is None:
        return f"Node {node} was removed while the instance was on it"
    return f"Node {node} is lost: no heartbeat for {timedelta(seconds=round(seconds))}"


def with_finalizer(instance: AnkaInstance) -> list[str]:
    return [*(name for name in instance.metadata.finalizers if name != FINALIZER), FINALIZER]


def without_finalizer(instance: AnkaInstance) -> list[str] | None:
    """For a merge patch: None, which deletes the key, when no other finalizer is left."""
    return [name for name in instance.metadata.finalizers if name != FINALIZER] or None


def _with_scheduled(
    instance: AnkaInstance, status: ConditionStatus, reason: InstanceReason, message: str, now: datetime
) -> list[Condition]:
    return with_condition(
        without_initial(instance.status.conditions),
        ConditionType.SCHEDULED,
        status,
        reason,
        message,
        generation=_generation(instance),
        now=now,
    )


def _generation(instance: AnkaInstance) -> int:
    return instance.metadata.generation
