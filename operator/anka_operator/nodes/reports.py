"""Which agents send heartbeats and do not report, judged by when their reports change: only our own clock counts."""

from dataclasses import dataclass
from datetime import datetime

from anka_crds.api.defaults import NODE_REPORT_SECONDS

FIRST_SECONDS = 120.0
"""Time that an agent which sends heartbeats has for its first report."""
MISSED_REPORTS = 3


@dataclass(slots=True)
class _Observation:
    updated_at: datetime | None
    since: float
    """When this report came, or the heartbeats began; on our monotonic clock."""


class ReportTracker:
    """Pure: times are arguments."""

    def __init__(self) -> None:
        self._observed: dict[str, _Observation] = {}

    def observe(self, name: str, updated_at: datetime | None, now: float) -> None:
        before = self._observed.get(name)
        if before is None or before.updated_at != updated_at:
            self._observed[name] = _Observation(updated_at, now)

    def forget(self, name: str) -> None:
        self._observed.pop(name, None)

    def is_silent(self, name: str, now: float, *, alive: bool | None, reported: bool) -> bool:
        """Whether its agent lives and has not reported for too long. `reported`: whether it ever has."""
        observation = self._observed.get(name)
        if observation is None:
            return False
        if not alive:
            observation.since = now
            return False
        patience = MISSED_REPORTS * NODE_REPORT_SECONDS if reported else FIRST_SECONDS
        return now - observation.since >= patience
