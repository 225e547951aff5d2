"""Instances that a Mac could not start go back into the queue, or fail if no other Mac could run them."""

from anka_crds.api import AnkaInstance
from anka_crds.api.instance import find_refusal
from anka_kube.store import EventType
from anka_operator import metrics
from anka_operator.cluster.access import AnkaCluster
from anka_operator.cluster.stores import REFUSED, is_refused
from anka_operator.control_loop import ControlLoop, run_all
from anka_operator.events.event import reschedule_event
from anka_operator.events.recorder import EventRecorder
from anka_operator.instances.desired import refusal_status
from anka_operator.scheduling.controller import SchedulingController
from anka_runtime.clock import Clock
from anka_scheduler.reasons import WaitReason
from anka_scheduler.shape import to_shape


class RefusalController(ControlLoop):
    def __init__(
        self, cluster: AnkaCluster, scheduling: SchedulingController, clock: Clock, recorder: EventRecorder
    ) -> None:
        super().__init__("refusals", clock, window=0.0, tick=30.0)
        self._cluster = cluster
        self._scheduling = scheduling
        self._recorder = recorder
        self.follow(cluster.stores.instances, self._on_instance)

    async def run_once(self) -> float | None:
        await run_all(self._take_back(one) for one in self._cluster.stores.instances.by_index(REFUSED, "yes"))
        return None

    async def _take_back(self, instance: AnkaInstance) -> None:
        refusal = find_refusal(instance.status)
        if refusal is None:
            return
        others = self._has_others(instance)
        status = refusal_status(instance, refusal, others=others, now=self.clock.now())
        await self._cluster.write.instances.patch_status(instance, status, guarded=True)
        metrics.REFUSED.labels("moved" if others else "failed").inc()
        # One that failed gets its Event from the handler of failures.
        if others:
            message = f"{refusal.node_name} could not start it: {refusal.message}"
            event = reschedule_event(instance, message, now=self.clock.now(), reporter=self._recorder.identity)
            await self._recorder.post_or_count(event)

    def _has_others(self, instance: AnkaInstance) -> bool:
        """Whether a Mac that has not refused it could run it now, or once it has room."""
        found = self._scheduling.state.snapshot().candidates(to_shape(instance))
        return not isinstance(found, WaitReason) and bool(found.nodes)

    def _on_instance(self, _: EventType, old: AnkaInstance | None, new: AnkaInstance | None) -> None:
        if new is not None and is_refused(new):
            self.wake()
