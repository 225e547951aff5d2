"""Writes to waiting instances why they wait, at a limited rate: thousands may wait for the same reason."""

import math
import re
from collections.abc import Iterator
from itertools import islice

from anka_crds.api import AnkaInstance
from anka_crds.api.conditions import ConditionType
from anka_crds.rules.condition_list import find
from anka_kube.store import EventType
from anka_operator.cluster.access import AnkaCluster
from anka_operator.control_loop import ControlLoop, run_all
from anka_operator.events.event import wait_event
from anka_operator.events.recorder import EventRecorder
from anka_operator.instances.desired import already_reports, wait_status
from anka_operator.scheduling.controller import SchedulingController
from anka_runtime.clock import Clock
from anka_scheduler.reasons import WaitReason
from anka_scheduler.shape import Shape, is_pending

FIRST_REPORT_SECONDS = 1.0
"""An instance that gets a node within this time gets no reason: the write would be wasted."""
LOOK_SECONDS = 60.0
"""Time between two looks at all that wait, for what no event has told."""
NEXT_REPORT_SECONDS = 10.0
"""Shortest time between two reasons of the same instance."""
REPORTS_PER_RUN = 20
"""Most reasons written in a second."""
FIRST_EVENT_SECONDS = 5.0
"""An instance that gets a node within this time gets no Event: its condition is enough."""
EVENTS_PER_RUN = 5
"""Most Events posted in a second."""


class WaitReasonReporter(ControlLoop):
    """Looks at an instance when it has changed, or the reason of its shape: thousands that were told cost nothing."""

    def __init__(
        self, cluster: AnkaCluster, scheduling: SchedulingController, clock: Clock, recorder: EventRecorder
    ) -> None:
        super().__init__("explaining", clock, window=0.0, tick=FIRST_REPORT_SECONDS)
        self._cluster = cluster
        self._scheduling = scheduling
        self._recorder = recorder
        self._reasons: dict[Shape, WaitReason] = {}
        """As of the last run."""
        self._unchecked: dict[str, None] = {}
        """Instances that may have to be told something. Who is told goes to the end, so that all get their turn."""
        self._looked_at = -math.inf
        self._reported_at: dict[str, float] = {}
        """Of those to whom the next reason would come too soon."""
        self._without_event: dict[str, None] = {}
        """Instances with a new kind of reason that has no Event yet, in order."""
        self.follow(cluster.stores.instances, self._on_instance)

    async def run_once(self) -> float | None:
        now = self.clock.monotonic()
        self._reported_at = {uid: at for uid, at in self._reported_at.items() if now - at < NEXT_REPORT_SECONDS}
        self._note_changed_reasons(now)
        due = list(islice(self._due(now), REPORTS_PER_RUN))
        await run_all(self._report(instance, why) for instance, why in due)
        await run_all(self._post_event(uid) for uid in islice(self._due_for_event(), EVENTS_PER_RUN))
        return FIRST_REPORT_SECONDS

    def _on_instance(self, _: EventType, old: AnkaInstance | None, new: AnkaInstance | None) -> None:
        if new is not None and is_pending(new):
            self._unchecked.setdefault(new.metadata.uid)
        elif old is not None:
            self._without_event.pop(old.metadata.uid, None)

    def _note_changed_reasons(self, now: float) -> None:
        everything = now - self._looked_at >= LOOK_SECONDS
        if everything:
            self._looked_at = now
        before, self._reasons = self._reasons, dict(self._scheduling.unscheduled)
        for shape, why in self._reasons.items():
            if everything or before.get(shape) != why:
                for queued in self._scheduling.state.queue.waiting(shape):
                    self._unchecked.setdefault(queued.uid)

    def _due(self, now: float) -> Iterator[tuple[AnkaInstance, WaitReason]]:
        state = self._scheduling.state
        for uid in tuple(self._unchecked):
            instance = self._cluster.stores.instances.by_uid(uid)
            if instance is None or not is_pending(instance):
                del self._unchecked[uid]
                continue
            shape = state.queue.find_shape(uid)
            why = None if shape is None else self._reasons.get(shape)
            if why is None:
                continue  # its bind is being written, or no round has come to it yet
            if already_reports(instance, why):
                del self._unchecked[uid]
            elif now - state.waiting_since.get(uid, now) >= FIRST_REPORT_SECONDS and uid not in self._reported_at:
                yield instance, why

    async def _report(self, instance: AnkaInstance, why: WaitReason) -> None:
        uid = instance.metadata.uid
        if uid not in self._scheduling.state.queue:
            return
        self._reported_at[uid] = self.clock.monotonic()
        self._unchecked.pop(uid, None)
        self._unchecked[uid] = None
        before = find(instance.status.conditions, ConditionType.SCHEDULED)
        status = wait_status(instance, why, now=self.clock.now())
        await self._cluster.write.instances.patch_status(instance, status, guarded=True)
        # Numbers change all the time ("6 full", "7 full"): the condition has them, an Event would be noise.
        if before is None or _without_numbers(before.message) != _without_numbers(why.message):
            self._without_event[uid] = None

    def _due_for_event(self) -> Iterator[str]:
        """The first ones only: thousands wait for their turn, and to look at them each second was 5 % of a core."""
        state, now = self._scheduling.state, self.clock.monotonic()
        for uid in self._without_event:
            # One whose bind is being written has left the queue, and may come back.
            if uid in state.queue and now - state.waiting_since.get(uid, now) >= FIRST_EVENT_SECONDS:
                yield uid

    async def _post_event(self, uid: str) -> None:
        """Posted with the condition's current message."""
        self._without_event.pop(uid, None)
        instance = self._cluster.stores.instances.by_uid(uid)
        if instance is None:
            return
        condition = find(instance.status.conditions, ConditionType.SCHEDULED)
        if condition is not None and condition.status == "False":
            event = wait_event(instance, condition.message, now=self.clock.now(), reporter=self._recorder.identity)
            await self._recorder.post_or_count(event)


def _without_numbers(message: str) -> str:
    return re.sub(r"\d+", "", message)
