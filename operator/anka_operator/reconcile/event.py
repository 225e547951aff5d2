"""core/v1 Events, which `kubectl describe` shows under an object."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from anka_crds.api.instance import AnkaInstance
from anka_crds.api.meta import API_VERSION
from anka_crds.core.conditions import find
from anka_crds.core.lifetime import End
from anka_crds.core.naming import stable_uuid
from anka_operator.reconcile.patch import bounded, text


def failed(instance: AnkaInstance, *, now: datetime, reporter: str) -> dict[str, Any]:
    """Tells that an instance reached Error, and why."""
    ready = find(instance.status.conditions, "Ready")
    moment = instance.status.finished_at or now
    words = instance.status.message or (ready.message if ready is not None else "") or "The instance failed"
    reason = ready.reason if ready is not None and ready.status == "False" else "Failed"
    return _event(instance, "Warning", reason, words, moment=moment, reporter=reporter)


def ended(instance: AnkaInstance, end: End, *, now: datetime, reporter: str) -> dict[str, Any]:
    """Tells that an instance was deleted because its time was over, and which."""
    spec = instance.spec
    words = {
        End.LIFETIME: f"Deleted: maxLifetimeSeconds {spec.max_lifetime_seconds} have passed since it started",
        End.KEPT: f"Deleted: ttlSecondsAfterFinished {spec.ttl_seconds_after_finished} have passed since it ended",
    }
    return _event(instance, "Normal", end.value, words[end], moment=now, reporter=reporter)


def _event(
    instance: AnkaInstance, type_: str, reason: str, words: str, *, moment: datetime, reporter: str
) -> dict[str, Any]:
    """One happening has one name: posting it twice is refused."""
    metadata = instance.metadata
    digest = stable_uuid("event", metadata.uid, reason, text(moment))
    return {
        "metadata": {"name": f"{metadata.name[:200].rstrip('.-')}.{digest[:8]}", "namespace": metadata.namespace},
        "involvedObject": {
            "apiVersion": API_VERSION,
            "kind": "AnkaInstance",
            "name": metadata.name,
            "namespace": metadata.namespace,
            "uid": metadata.uid,
        },
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
