"""Counts the outcomes of instances: how long they took to start, and why they failed."""

from anka_crds.api import AnkaInstance, Phase
from anka_crds.api.conditions import ConditionType
from anka_crds.rules.condition_list import find
from anka_crds.rules.lifetime import WAITING
from anka_kube.store import EventType
from anka_operator import metrics
from anka_operator.cluster.stores import ClusterStores
from anka_operator.metrics import OTHER, LabelLimiter, TemplateLabels


class OutcomeCounter:
    """Observes changes until `close`. What ended before was counted when it happened, by the leader of that time."""

    def __init__(self, stores: ClusterStores) -> None:
        self._labels = TemplateLabels(stores.templates)
        self._reasons = LabelLimiter()
        self.close = stores.instances.subscribe(self._on_instance)

    def _on_instance(self, _: EventType, old: AnkaInstance | None, new: AnkaInstance | None) -> None:
        if old is None or new is None:
            return
        if old.status.started_at is None and new.status.started_at is not None:
            self._count_start(new)
        if old.status.phase is not Phase.ERROR and new.status.phase is Phase.ERROR:
            self._count_failure(old, new)

    def _count_start(self, instance: AnkaInstance) -> None:
        began = instance.status.rescheduled_at or instance.metadata.creation_timestamp
        if began is None or instance.status.started_at is None:
            return
        # startedAt comes from the Mac's clock, which may be slow.
        seconds = max(0.0, (instance.status.started_at - began).total_seconds())
        metrics.START_SECONDS.labels(self._labels.of_instance(instance)).observe(seconds)

    def _count_failure(self, before: AnkaInstance, instance: AnkaInstance) -> None:
        ready = find(instance.status.conditions, ConditionType.READY)
        reason = self._reasons.limit(ready.reason) if ready is not None and ready.reason else OTHER
        metrics.FAILED.labels(reason, "starting" if before.status.phase in WAITING else "running").inc()
