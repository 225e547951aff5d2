"""core/v1 Events, which `kubectl describe` shows under an object."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from anka_crds.api.instance import AnkaInstance
from anka_crds.api.meta import API_VERSION, KubeObject
from anka_crds.api.node import AnkaNode
from anka_crds.api.phase import NodeState
from anka_crds.core.conditions import find
from anka_crds.core.lifetime import End
from anka_crds.core.naming import stable_uuid
from anka_operator.reconcile.patch import bounded, text

Event = dict[str, Any]

CLUSTER_SCOPED = "default"
"""Namespace of Events about what is in none: the API takes no other for them."""

_BAD_STATES = frozenset({NodeState.OFFLINE, NodeState.INACTIVE, NodeState.UNHEALTHY})


def failed(instance: AnkaInstance, *, now: datetime, reporter: str) -> Event:
    """Tells that an instance reached Error, and why."""
    ready = find(instance.status.conditions, "Ready")
    moment = instance.status.finished_at or now
    words = instance.status.message or (ready.message if ready is not None else "") or "The instance failed"
    reason = ready.reason if ready is not None and ready.status == "False" else "Failed"
    return _event(instance, "Warning", reason, words, moment=moment, reporter=reporter, once=True)


def ended(instance: AnkaInstance, end: End, *, now: datetime, reporter: str) -> Event:
    """Tells that an instance was deleted because its time was over, and which."""
    spec = instance.spec
    words = {
        End.LIFETIME: f"Deleted: maxLifetimeSeconds {spec.max_lifetime_seconds} have passed since it started",
        End.KEPT: f"Deleted: ttlSecondsAfterFinished {spec.ttl_seconds_after_finished} have passed since it ended",
    }
    return _event(instance, "Normal", end.value, words[end], moment=now, reporter=reporter, once=True)


def unscheduled(instance: AnkaInstance, words: str, *, now: datetime, reporter: str) -> Event:
    """Tells why an instance has no node yet: the reason that Kubernetes' own scheduler has for pods."""
    return _event(instance, "Warning", "FailedScheduling", words, moment=now, reporter=reporter)


def rescheduled(instance: AnkaInstance, words: str, *, now: datetime, reporter: str) -> Event:
    """Tells that an instance starts again elsewhere (nodeLostPolicy Reschedule), and why."""
    told = f"{words}; starts again on another node"
    return _event(instance, "Normal", "Rescheduled", told, moment=now, reporter=reporter)


def changed(node: AnkaNode, *, now: datetime, reporter: str) -> Event:
    """Tells the state that a node has from now on: reason and words of its condition Ready."""
    ready, state = find(node.status.conditions, "Ready"), node.status.state
    reason = ready.reason if ready is not None else "Changed"
    words = f"{state.value if state is not None else 'Unknown'}: {ready.message if ready is not None else ''}"
    type_ = "Warning" if state in _BAD_STATES else "Normal"
    return _event(node, type_, reason, words, moment=now, reporter=reporter)


def repeated(posted: Mapping[str, Any], event: Event) -> Event:
    """The merge patch that makes a posted Event tell this one, too."""
    return {
        "count": (posted.get("count") or 1) + 1,
        "message": event["message"],
        "lastTimestamp": event["lastTimestamp"],
        "reportingInstance": event["reportingInstance"],
    }


def _event(
    about: KubeObject, type_: str, reason: str, words: str, *, moment: datetime, reporter: str, once: bool = False
) -> Event:
    """`once`: this happening has one name, and posting it twice is refused. Else all that tell of the same object for
    the same reason have one, and are counted."""
    metadata = about.metadata
    digest = stable_uuid("event", metadata.uid, reason, *([text(moment)] if once else []))
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
        "message": bounded(words, 1024),
        "source": {"component": "anka-operator"},
        "reportingComponent": "anka-operator",
        "reportingInstance": bounded(reporter, 128),
        "firstTimestamp": text(moment),
        "lastTimestamp": text(moment),
        "count": 1,
    }
