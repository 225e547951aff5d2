"""How long instances waited for a Mac, and how many got one, lately: counted from what the watch tells."""

from datetime import datetime

from anka_crds.api import AnkaInstance
from anka_kube.store import EventType, Store
from anka_runtime.clock import Clock
from anka_shim.stats.answer import WINDOW_SECONDS, StatsAnswer

_DIGITS = 3


class BindTracker:
    """Subscribes to the store. Every replica sees every bind, so all of them answer alike. Takes one entry for each
    second of the window, however many instances there are."""

    def __init__(self, instances: Store[AnkaInstance], clock: Clock) -> None:
        self._clock = clock
        self._binds: dict[int, tuple[int, float]] = {}
        """Second of the bind: how many, and how long they waited together."""
        instances.subscribe(self._on_event)

    def summarize(self) -> StatsAnswer:
        self._forget(self._second(self._clock.now()))
        count = sum(number for number, _ in self._binds.values())
        waited = sum(seconds for _, seconds in self._binds.values())
        return StatsAnswer.model_construct(
            average_queue_time=round(waited / count, _DIGITS) if count else 0.0,
            tasks_per_second=round(count / WINDOW_SECONDS, _DIGITS),
        )

    def _on_event(self, _: EventType, old: AnkaInstance | None, new: AnkaInstance | None) -> None:
        bound = None if new is None else new.status.scheduled_at
        if new is None or bound is None or (old is not None and old.status.scheduled_at == bound):
            return
        now = self._second(self._clock.now())
        # The operator's clock may be ahead of ours: what it says will be is now.
        second = min(self._second(bound), now)
        if second <= now - WINDOW_SECONDS:
            return
        since = new.status.rescheduled_at or new.metadata.creation_timestamp
        waited = max(0.0, (bound - since).total_seconds()) if since is not None else 0.0
        number, together = self._binds.get(second, (0, 0.0))
        self._binds[second] = number + 1, together + waited
        if len(self._binds) > 2 * WINDOW_SECONDS:
            self._forget(now)

    def _forget(self, now: int) -> None:
        self._binds = {second: bind for second, bind in self._binds.items() if second > now - WINDOW_SECONDS}

    @staticmethod
    def _second(time: datetime) -> int:
        return int(time.timestamp())
