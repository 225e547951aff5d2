"""How late the event loop is: the one sign that a process of coroutines is stuck."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from anka_crds.process.clock import Clock
from anka_operator import metrics

INTERVAL_SECONDS = 0.5
STUCK_SECONDS = 5.0


class LoopLag:
    def __init__(self, clock: Clock, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        self._clock = clock
        self._sleep = sleep
        self._woke_at = clock.monotonic()
        self.last = 0.0
        """Seconds by which the last wake-up was late."""

    async def run(self) -> None:
        """Measure until cancelled."""
        while True:
            self._woke_at = self._clock.monotonic()
            await self._sleep(INTERVAL_SECONDS)
            self.last = max(0.0, self._clock.monotonic() - self._woke_at - INTERVAL_SECONDS)
            metrics.LOOP_LAG.observe(self.last)

    def check(self) -> str | None:
        """For liveness."""
        waiting = self._clock.monotonic() - self._woke_at - INTERVAL_SECONDS
        lag = max(self.last, waiting)
        return f"the event loop is {lag:.1f} s late" if lag >= STUCK_SECONDS else None
