"""Counts what became of instances: how long they took to start, and why they failed."""

from __future__ import annotations

from anka_crds.api import AnkaInstance, Phase
from anka_crds.core.conditions import find
from anka_crds.core.lifetime import WAITING
from anka_crds.kube.store import EventType
from anka_operator import metrics
from anka_operator.cluster import Stores
from anka_operator.observing.names import OTHER, Few, TemplateNames


class Outcomes:
    """Watches changes until `close`. One that was over before is not counted: it was counted when it happened."""

    def __init__(self, stores: Stores) -> None:
        self._names = TemplateNames(stores.templates)
        self._reasons = Few()
        self.close = stores.instances.subscribe(self._instance)

    def _instance(self, _: EventType, old: AnkaInstance | None, new: AnkaInstance | None) -> None:
        if old is None or new is None:
            return
        if old.status.started_at is None and new.status.started_at is not None:
            self._started(new)
        if old.status.phase is not Phase.ERROR and new.status.phase is Phase.ERROR:
            self._failed(old, new)

    def _started(self, instance: AnkaInstance) -> None:
        began = instance.status.rescheduled_at or instance.metadata.creation_timestamp
        if began is None or instance.status.started_at is None:
            return
        # The end is by the Mac's clock, which may be late.
        seconds = max(0.0, (instance.status.started_at - began).total_seconds())
        metrics.START_SECONDS.labels(self._names.of(instance)).observe(seconds)

    def _failed(self, before: AnkaInstance, instance: AnkaInstance) -> None:
        ready = find(instance.status.conditions, "Ready")
        reason = self._reasons.of(ready.reason) if ready is not None and ready.reason else OTHER
        metrics.FAILED.labels(reason, "starting" if before.status.phase in WAITING else "running").inc()
