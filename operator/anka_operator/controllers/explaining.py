"""Tells every waiting instance why it waits, at a bounded rate: thousands may wait for the same reason."""

from __future__ import annotations

import re
from collections.abc import Iterator

from anka_crds.api import AnkaInstance
from anka_crds.core.conditions import find
from anka_crds.process.clock import Clock
from anka_operator.cluster import Cluster
from anka_operator.controllers.loop import Controller, all_of
from anka_operator.controllers.recorder import Recorder
from anka_operator.controllers.scheduling import Scheduling
from anka_operator.reconcile.event import unscheduled
from anka_operator.reconcile.instance import SCHEDULED, shows, waiting
from anka_operator.scheduler.reasons import Unscheduled

PATIENCE_SECONDS = 1.0
"""Who gets a node within this time is told nothing: that would be a write for nothing."""
AGAIN_SECONDS = 10.0
"""The same instance is not told something new more often than this."""
PER_RUN = 20
"""Most instances told each second."""
EVENT_SECONDS = 5.0
"""Who gets a node within this time gets no Event: its condition has said all."""
EVENTS_PER_RUN = 5
"""Most Events each second."""


class Explaining(Controller):
    def __init__(self, cluster: Cluster, scheduling: Scheduling, clock: Clock, recorder: Recorder) -> None:
        super().__init__("explaining", clock, window=0.0, tick=PATIENCE_SECONDS)
        self._cluster = cluster
        self._scheduling = scheduling
        self._recorder = recorder
        self._told: dict[str, float] = {}
        self._eventful: dict[str, None] = {}
        """Those that were told a reason of another kind than before, in order, and have no Event of it yet."""

    async def run_once(self) -> float | None:
        waiting_now = self._scheduling.board.queue
        self._told = {uid: at for uid, at in self._told.items() if uid in waiting_now}
        self._eventful = {uid: None for uid in self._eventful if uid in waiting_now}
        due = sorted(self._due(), key=lambda entry: self._told.get(entry[0].metadata.uid, float("-inf")))
        await all_of(self._tell(instance, why) for instance, why in due[:PER_RUN])
        await all_of(self._post(uid) for uid in self._ripe()[:EVENTS_PER_RUN])
        return PATIENCE_SECONDS

    def _due(self) -> Iterator[tuple[AnkaInstance, Unscheduled]]:
        board, now = self._scheduling.board, self.clock.monotonic()
        for shape, why in self._scheduling.unscheduled.items():
            for pending in board.queue.line(shape):
                if now - board.since.get(pending.uid, now) < PATIENCE_SECONDS:
                    continue
                if now - self._told.get(pending.uid, float("-inf")) < AGAIN_SECONDS:
                    continue
                instance = self._cluster.stores.instances.by_uid(pending.uid)
                if instance is not None and not shows(instance, why):
                    yield instance, why

    async def _tell(self, instance: AnkaInstance, why: Unscheduled) -> None:
        uid = instance.metadata.uid
        if uid not in self._scheduling.board.queue:
            return
        self._told[uid] = self.clock.monotonic()
        before = find(instance.status.conditions, SCHEDULED)
        await self._cluster.write.instances.patch_status(
            instance, waiting(instance, why, now=self.clock.now()), guarded=True
        )
        # Counts change all the time ("6 full", "7 full"): the condition has them, an Event would be noise.
        if before is None or _without_counts(before.message) != _without_counts(why.message):
            self._eventful[uid] = None

    def _ripe(self) -> list[str]:
        since, now = self._scheduling.board.since, self.clock.monotonic()
        return [uid for uid in self._eventful if now - since.get(uid, now) >= EVENT_SECONDS]

    async def _post(self, uid: str) -> None:
        """With what its condition says now."""
        del self._eventful[uid]
        instance = self._cluster.stores.instances.by_uid(uid)
        told = find(instance.status.conditions, SCHEDULED) if instance is not None else None
        if instance is not None and told is not None and told.status == "False":
            event = unscheduled(instance, told.message, now=self.clock.now(), reporter=self._recorder.identity)
            await self._recorder.again(event)


def _without_counts(words: str) -> str:
    return re.sub(r"\d+", "", words)
