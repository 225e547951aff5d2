"""Time as an argument: no other module reads a clock directly."""

import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Protocol

Sleep = Callable[[float], Awaitable[None]]
"""`asyncio.sleep`, of so many seconds; tests pass another."""

_ELAPSED = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""Counts the time that the machine sleeps, too: on Linux only CLOCK_BOOTTIME does, on macOS CLOCK_MONOTONIC."""


class Clock(Protocol):
    """Time of day and durations."""

    def now(self) -> datetime:
        """Wall-clock time in UTC, timezone-aware. For timestamps that others read, never for durations."""
        ...

    def monotonic(self) -> float:
        """Seconds since an arbitrary start, never decreasing, sleep included. For durations and deadlines."""
        ...


class SystemClock:
    """The machine's own clocks."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.clock_gettime(_ELAPSED)
