"""How old the lists are: since when a watch is not in step with the Kubernetes API."""

import math
from collections.abc import Collection, Mapping
from typing import Any

from anka_kube.reflector import Reflector
from anka_kube.store import Store
from anka_runtime.clock import Clock

SHOWN_SECONDS = 5.0
"""From which on a list counts as stale."""
QUIET_SECONDS = 75.0
"""The API says something at least every minute: after so long, a watch that seems to be open is not."""


class Freshness:
    """Ask it at intervals: in between, a watch may be closed and opened again."""

    def __init__(self, reflectors: Collection[Reflector[Any]], clock: Clock) -> None:
        self._reflectors = {id(reflector.store): reflector for reflector in reflectors}
        self._clock = clock
        self._in_step: dict[int, float] = {}

    def look(self) -> None:
        now = self._clock.monotonic()
        for key, reflector in self._reflectors.items():
            if reflector.connected and reflector.last_event_age < QUIET_SECONDS:
                self._in_step[key] = now

    def stale(self, sources: Mapping[str, Collection[Store[Any]]]) -> dict[str, float]:
        """Seconds by kind, for those that are stale. `sources`: of each kind."""
        self.look()
        found = {kind: max(map(self._seconds, stores), default=0.0) for kind, stores in sources.items()}
        return {kind: round(seconds, 1) for kind, seconds in found.items() if seconds > SHOWN_SECONDS}

    def _seconds(self, store: Store[Any]) -> float:
        """Since it was last known to be in step: by what was seen, or by the last word of the API. What was never read
        is in no list yet."""
        reflector = self._reflectors.get(id(store))
        if reflector is None:
            return 0.0
        seen = self._in_step.get(id(store))
        age = self._clock.monotonic() - seen if seen is not None else reflector.last_event_age
        age = min(age, reflector.last_event_age)
        return age if math.isfinite(age) else 0.0
