"""Ends instances whose time is over: kept long enough, lived long enough, or waited too long for a node."""

from __future__ import annotations

import logging
import math

from anka_crds.api import AnkaInstance
from anka_crds.core.lifetime import End, limited, next_end
from anka_crds.kube.errors import AlreadyExists, ApiError
from anka_crds.kube.store import EventType
from anka_crds.process.clock import Clock
from anka_operator import metrics
from anka_operator.cluster import LIMITED, Cluster
from anka_operator.controllers.loop import Controller, all_of
from anka_operator.reconcile.event import ended
from anka_operator.reconcile.instance import overdue

log = logging.getLogger(__name__)


class Lifetimes(Controller):
    def __init__(self, cluster: Cluster, clock: Clock, *, identity: str) -> None:
        # Whole seconds are what people ask for: a burst of changes need not be looked at more often.
        super().__init__("lifetimes", clock, window=0.5, tick=60.0)
        self._cluster = cluster
        self._identity = identity
        cluster.stores.instances.subscribe(self._instance)

    async def run_once(self) -> float | None:
        now = self.clock.now()
        due = math.inf
        jobs = []
        for instance in self._cluster.stores.instances.by_index(LIMITED, "yes"):
            end = next_end(instance)
            if end is None or (end[1] is End.LATE and instance.status.node_name is not None):
                continue
            left = (end[0] - now).total_seconds()
            if left > 0:
                due = min(due, left)
            else:
                jobs.append(self._end(instance, end[1]))
        await all_of(jobs)
        return due

    async def _end(self, instance: AnkaInstance, end: End) -> None:
        write = self._cluster.write.instances
        if end is End.LATE:
            # Guarded: a bind of this moment wins, and then its agent keeps the deadline.
            await write.patch_status(instance, overdue(instance, now=self.clock.now()), guarded=True)
        else:
            await write.delete(instance)
            await self._tell(instance, end)
        metrics.ENDED.labels(end.value).inc()

    async def _tell(self, instance: AnkaInstance, end: End) -> None:
        event = ended(instance, end, now=self.clock.now(), reporter=self._identity)
        try:
            await self._cluster.write.events.create(event, instance.metadata.namespace)
        except AlreadyExists:
            return
        except ApiError as error:
            log.warning("event not posted: %s", error, extra={"instance": instance.metadata.name})

    def _instance(self, _: EventType, old: AnkaInstance | None, new: AnkaInstance | None) -> None:
        if new is not None and limited(new):
            self.wake()
