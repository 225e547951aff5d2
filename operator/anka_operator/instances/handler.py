"""AnkaInstance: one that fails gets an Event, which `kubectl describe` and `kubectl get events` show.

kopf watches only the instances in phase Error (a field selector on the server): all others never reach it.
"""

from typing import Any

import kopf

from anka_crds.api import AnkaInstance, Phase
from anka_crds.resources import INSTANCES
from anka_crds.rules.management import is_ours
from anka_operator.events.event import failure_event
from anka_operator.events.recorder import EventRecorder

FAILED_ONLY = f"status.phase={Phase.ERROR.value}"


class FailureHandler:
    """Posts the Events through `recorder`, which is None while this process does not lead."""

    def __init__(self) -> None:
        self.recorder: EventRecorder | None = None
        self._posted: set[str] = set()

    def register(self, registry: kopf.OperatorRegistry) -> None:
        kind = INSTANCES

        @kopf.on.event(kind.group, kind.version, kind.plural, registry=registry, id="instance-failed")
        async def instance_failed(event: Any, **_: Any) -> None:
            await self.handle(event["type"], event["object"])

    async def handle(self, type_: str | None, obj: dict[str, Any]) -> None:
        uid = obj["metadata"]["uid"]
        if type_ == "DELETED":
            self._posted.discard(uid)
            return
        # What kopf lists (its type is None) failed while another process led, and that one posted the Event.
        recorder = self.recorder
        if recorder is None or type_ is None or uid in self._posted:
            return
        instance = AnkaInstance.from_api(obj)
        if instance.status.phase is not Phase.ERROR or not is_ours(instance):
            return
        self._posted.add(uid)
        await recorder.post_once(failure_event(instance, now=recorder.now(), reporter=recorder.identity))
