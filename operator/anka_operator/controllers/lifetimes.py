"""Ends instances whose time is over: kept long enough, lived long enough, or waited too long for a node."""

from __future__ import annotations

import math

from anka_crds.api import AnkaInstance
from anka_crds.core.lifetime import End, limited, next_end
from anka_crds.kube.store import EventType
from anka_crds.process.clock import Clock
from anka_operator import metrics
from anka_operator.cluster import LIMITED, Cluster
from anka_operator.controllers.loop import Controller, all_of
from anka_operator.controllers.recorder import Recorder
from anka_operator.reconcile.event import ended
from anka_operator.reconcile.instance import overdue


class Lifetimes(Controller):
    def __init__(self, cluster: Cluster, clock: Clock, recorder: Recorder) -> None:
        # Whole seconds are what people ask for: a burst of changes need not be looked at more often.
        super().__init__("lifetimes", clock, window=0.5, tick=60.0)
        self._cluster = cluster
        self._recorder = recorder
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
            event = ended(instance, end, now=self.clock.now(), reporter=self._recorder.identity)
            await self._recorder.once(event)
        metrics.ENDED.labels(end.value).inc()

    def _instance(self, _: EventType, old: AnkaInstance | None, new: AnkaInstance | None) -> None:
        if new is not None and limited(new):
            self.wake()
