"""Time, injected: nothing else in this project reads a clock directly."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """What a program may ask about time."""

    def now(self) -> datetime:
        """Wall-clock time, aware, in UTC. For timestamps that others read; never for measuring durations."""
        ...

    def monotonic(self) -> float:
        """Seconds since an arbitrary start; never goes back. For durations and deadlines."""
        ...


class SystemClock:
    """The machine's own clocks."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()
