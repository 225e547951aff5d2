"""Ends instances whose time is up: they waited too long for a node, lived long enough, or were kept long enough."""

import math

from anka_crds.api import AnkaInstance
from anka_crds.rules.lifetime import Expiry, has_limit, next_expiry
from anka_kube.store import EventType
from anka_operator import metrics
from anka_operator.cluster.access import AnkaCluster
from anka_operator.cluster.stores import TIME_LIMITED
from anka_operator.control_loop import ControlLoop, run_all
from anka_operator.events.event import end_event
from anka_operator.events.recorder import EventRecorder
from anka_operator.instances.desired import deadline_status
from anka_runtime.clock import Clock


class InstanceLifetimes(ControlLoop):
    def __init__(self, cluster: AnkaCluster, clock: Clock, recorder: EventRecorder) -> None:
        # Limits are whole seconds, so a burst of changes can be handled in one run.
        super().__init__("lifetimes", clock, window=0.5, tick=60.0)
        self._cluster = cluster
        self._recorder = recorder
        self.follow(cluster.stores.instances, self._on_instance)

    async def run_once(self) -> float | None:
        now = self.clock.now()
        due = math.inf
        jobs = []
        for instance in self._cluster.stores.instances.by_index(TIME_LIMITED, "yes"):
            end = next_expiry(instance)
            if end is None or (end[1] is Expiry.START_DEADLINE and instance.status.node_name is not None):
                continue
            left = (end[0] - now).total_seconds()
            if left > 0:
                due = min(due, left)
            else:
                jobs.append(self._end(instance, end[1]))
        await run_all(jobs)
        return due

    async def _end(self, instance: AnkaInstance, end: Expiry) -> None:
        write = self._cluster.write.instances
        if end is Expiry.START_DEADLINE:
            # Guarded: a bind at the same time wins, and then the agent watches the deadline.
            await write.patch_status(instance, deadline_status(instance, now=self.clock.now()), guarded=True)
        else:
            await write.delete(instance)
            event = end_event(instance, end, now=self.clock.now(), reporter=self._recorder.identity)
            await self._recorder.post_once(event)
        metrics.ENDED.labels(end.value).inc()

    def _on_instance(self, _: EventType, old: AnkaInstance | None, new: AnkaInstance | None) -> None:
        if new is not None and has_limit(new):
            self.wake()
