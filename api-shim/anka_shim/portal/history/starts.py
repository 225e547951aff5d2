"""Instances that have started, and those that got a Mac: of the last hour, in memory. Pure."""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from anka_shim.portal.history.quantiles import summarize
from anka_shim.portal.history.timeline import StartStep, find_medians

HOUR_SECONDS = 3600.0
MOST_STARTS = 10_000
MOST_TEMPLATES = 100
"""In an answer: those with the most starts."""


@dataclass(frozen=True, slots=True)
class BindRecord:
    """`at`: epoch seconds. `needs_pull`: whether the Mac had to pull the template; None if nobody saw that."""

    at: float
    waited: float
    needs_pull: bool | None


@dataclass(frozen=True, slots=True)
class StartRecord:
    """`template`: its id. `seconds`: from the bind to Started."""

    at: float
    template: str
    seconds: float
    steps: Sequence[StartStep]


class StartMemory:
    def __init__(self) -> None:
        self._starts: deque[StartRecord] = deque(maxlen=MOST_STARTS)
        self._binds: deque[BindRecord] = deque(maxlen=MOST_STARTS)

    def record_start(self, start: StartRecord) -> None:
        self._starts.append(start)

    def record_bind(self, bind: BindRecord) -> None:
        self._binds.append(bind)

    def summarize_starts(self, now: float, shows: Callable[[str], bool] = lambda _: True) -> dict[str, Any]:
        """By template: the seconds from the bind to Started. Of templates that it `shows`."""
        found: dict[str, list[float]] = {}
        for start in filter(lambda start: shows(start.template), self._recent(now)):
            found.setdefault(start.template, []).append(start.seconds)
        most = sorted(found.items(), key=lambda entry: (-len(entry[1]), entry[0]))[:MOST_TEMPLATES]
        return {template: summarize(seconds) for template, seconds in most}

    def summarize_waits(self, now: float) -> dict[str, Any]:
        return summarize([bind.waited for bind in self._binds if now - bind.at < HOUR_SECONDS])

    def count_pulls(self, now: float) -> dict[str, int]:
        needed = [bind.needs_pull for bind in self._binds if now - bind.at < HOUR_SECONDS]
        return {"cached": needed.count(False), "pulled": needed.count(True)}

    def find_medians(self, template: str, now: float) -> tuple[dict[str, float], int]:
        """Of each step of the template's starts, and how many starts these are."""
        starts = [start.steps for start in self._recent(now) if start.template == template]
        return find_medians(starts), len(starts)

    def _recent(self, now: float) -> list[StartRecord]:
        return [start for start in self._starts if now - start.at < HOUR_SECONDS]
