"""core/v1 Events, which `kubectl describe` shows under an object."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from anka_crds.api.conditions import ConditionType, EventReason
from anka_crds.api.instance import AnkaInstance
from anka_crds.api.meta import API_VERSION, REQUESTED_BY, Condition, KubeObject
from anka_crds.api.node import AnkaNode
from anka_crds.api.states import NodeState
from anka_crds.rules.condition_list import find
from anka_crds.rules.lifetime import Expiry
from anka_crds.rules.naming import stable_uuid
from anka_crds.rules.text import format_time, shorten

Event = dict[str, Any]

LONGEST_MESSAGE = 1024
"""The API accepts no longer one."""
CLUSTER_SCOPED = "default"
"""Namespace of Events about cluster-scoped objects: the API accepts no other."""

_BAD_STATES = frozenset({NodeState.OFFLINE, NodeState.INACTIVE, NodeState.UNHEALTHY})


def failure_event(instance: AnkaInstance, *, now: datetime, reporter: str) -> Event:
    """An instance has failed, and why."""
    ready = find(instance.status.conditions, ConditionType.READY)
    moment = instance.status.finished_at or now
    message = instance.status.message or (ready.message if ready is not None else "") or "The instance failed"
    reason = ready.reason if ready is not None and ready.status == "False" else EventReason.FAILED
    return _event(instance, "Warning", reason, message, moment=moment, reporter=reporter, once=True)


def end_event(instance: AnkaInstance, end: Expiry, *, now: datetime, reporter: str) -> Event:
    """An instance was deleted because one of its time limits was over."""
    spec = instance.spec
    messages = {
        Expiry.MAX_LIFETIME: f"Deleted: maxLifetimeSeconds {spec.max_lifetime_seconds} have passed since it started",
        Expiry.TTL: f"Deleted: ttlSecondsAfterFinished {spec.ttl_seconds_after_finished} have passed since it ended",
    }
    return _event(instance, "Normal", end.value, messages[end], moment=now, reporter=reporter, once=True)


def wait_event(instance: AnkaInstance, message: str, *, now: datetime, reporter: str) -> Event:
    """Why an instance has no node yet. The reason is that of kube-scheduler for pods."""
    return _event(instance, "Warning", EventReason.FAILED_SCHEDULING, message, moment=now, reporter=reporter)


def reschedule_event(instance: AnkaInstance, message: str, *, now: datetime, reporter: str) -> Event:
    """An instance starts again on another node (nodeLostPolicy Reschedule), and why."""
    message = f"{message}; starts again on another node"
    return _event(instance, "Normal", EventReason.RESCHEDULED, message, moment=now, reporter=reporter)


def state_event(node: AnkaNode, *, now: datetime, reporter: str) -> Event:
    """A node has a new state: reason and message of its condition Ready."""
    ready, state = find(node.status.conditions, ConditionType.READY), node.status.state
    reason = ready.reason if ready is not None else EventReason.CHANGED
    message = f"{state.value if state is not None else 'Unknown'}: {ready.message if ready is not None else ''}"
    type_ = "Warning" if state in _BAD_STATES else "Normal"
    return _event(node, type_, reason, message, moment=now, reporter=reporter)


def warning_event(node: AnkaNode, condition: Condition, *, now: datetime, reporter: str) -> Event:
    """A condition says that something is wrong with a Mac."""
    return _event(node, "Warning", condition.reason, condition.message, moment=now, reporter=reporter)


def count_patch(posted: Mapping[str, Any], event: Event) -> Event:
    """The merge patch that counts `event` in an Event that was posted before."""
    return {
        "count": (posted.get("count") or 1) + 1,
        "message": event["message"],
        "lastTimestamp": event["lastTimestamp"],
        "reportingInstance": event["reportingInstance"],
    }


def _event(
    about: KubeObject, type_: str, reason: str, message: str, *, moment: datetime, reporter: str, once: bool = False
) -> Event:
    """`once`: the name depends on the time, so that the API refuses the same Event a second time. Without it all Events
    of one object and reason share a name, and are counted."""
    metadata = about.metadata
    digest = stable_uuid("event", metadata.uid, reason, *([format_time(moment)] if once else []))
    involved = {
        "apiVersion": API_VERSION,
        "kind": type(about).__name__,
        "name": metadata.name,
        "uid": metadata.uid,
        **({"namespace": metadata.namespace} if metadata.namespace else {}),
    }
    return {
        "metadata": {
            "name": f"{metadata.name[:200].rstrip('.-')}.{digest[:8]}",
            "namespace": metadata.namespace or CLUSTER_SCOPED,
        },
        "involvedObject": involved,
        "type": type_,
        "reason": reason,
        "message": _name_requester(message, metadata.annotations.get(REQUESTED_BY)),
        "source": {"component": "anka-operator"},
        "reportingComponent": "anka-operator",
        "reportingInstance": shorten(reporter, 128),
        "firstTimestamp": format_time(moment),
        "lastTimestamp": format_time(moment),
        "count": 1,
    }


def _name_requester(message: str, user: str | None) -> str:
    """`user`: who asked for the object by REST, if they had to log in."""
    suffix = "" if user is None else f" (requested by {user})"
    return shorten(message, LONGEST_MESSAGE - len(suffix)) + suffix
