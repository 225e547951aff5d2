"""AnkaInstance: one that fails gets an Event, so that `kubectl describe` and `kubectl get events` tell.

kopf watches only what is in phase Error (a field selector of the server): the others never reach it.
"""

from __future__ import annotations

from typing import Any

import kopf

from anka_crds.api import AnkaInstance, Phase
from anka_crds.api.meta import GROUP, VERSION
from anka_operator.handlers.context import Context
from anka_operator.reconcile.event import failed

SELECTOR = f"status.phase={Phase.ERROR.value}"


def register(registry: kopf.OperatorRegistry, context: Context) -> None:
    told: set[str] = set()

    @kopf.on.event(GROUP, VERSION, "ankainstances", registry=registry, id="instance-failed")
    async def instance_failed(event: Any, body: kopf.Body, **_: Any) -> None:
        instance = AnkaInstance.from_api(dict(body))
        uid = instance.metadata.uid
        if event["type"] == "DELETED":
            told.discard(uid)
            return
        # One that is listed at our start failed in somebody else's time; who found it, told it.
        if event["type"] is None or uid in told or instance.status.phase is not Phase.ERROR:
            return
        told.add(uid)
        recorder = context.recorder
        await recorder.once(failed(instance, now=recorder.now(), reporter=recorder.identity))
