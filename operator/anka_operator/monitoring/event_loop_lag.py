"""The event loop's lag: the only sign that a process made of coroutines is stuck."""

import asyncio

from anka_operator import metrics
from anka_runtime.clock import Clock, Sleep

INTERVAL_SECONDS = 0.5
STUCK_SECONDS = 5.0


class EventLoopLag:
    def __init__(self, clock: Clock, sleep: Sleep = asyncio.sleep) -> None:
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
        """A liveness check: None while the loop keeps up."""
        waiting = self._clock.monotonic() - self._woke_at - INTERVAL_SECONDS
        lag = max(self.last, waiting)
        return f"the event loop is {lag:.1f} s late" if lag >= STUCK_SECONDS else None
