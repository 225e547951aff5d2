"""core/v1 Events, which `kubectl describe` shows under an object."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from anka_crds.api.instance import AnkaInstance
from anka_crds.api.meta import API_VERSION
from anka_crds.core.conditions import find
from anka_crds.core.naming import stable_uuid
from anka_operator.reconcile.patch import bounded, text


def failed(instance: AnkaInstance, *, now: datetime, reporter: str) -> dict[str, Any]:
    """Tells that an instance reached Error, and why. One failure has one name: posting it twice is refused."""
    ready = find(instance.status.conditions, "Ready")
    moment = instance.status.finished_at or now
    metadata = instance.metadata
    digest = stable_uuid("event", metadata.uid, text(moment))
    words = instance.status.message or (ready.message if ready is not None else "") or "The instance failed"
    return {
        "metadata": {"name": f"{metadata.name[:200].rstrip('.-')}.{digest[:8]}", "namespace": metadata.namespace},
        "involvedObject": {
            "apiVersion": API_VERSION,
            "kind": "AnkaInstance",
            "name": metadata.name,
            "namespace": metadata.namespace,
            "uid": metadata.uid,
        },
        "type": "Warning",
        "reason": ready.reason if ready is not None and ready.status == "False" else "Failed",
        "message": bounded(words, 1024),
        "source": {"component": "anka-operator"},
        "reportingComponent": "anka-operator",
        "reportingInstance": bounded(reporter, 128),
        "firstTimestamp": text(moment),
        "lastTimestamp": text(moment),
        "count": 1,
    }
