"""How late the event loop is."""

from __future__ import annotations

import asyncio

from anka_operator.monitoring.event_loop_lag import INTERVAL_SECONDS, STUCK_SECONDS, EventLoopLag
from support.manual_clock import ManualClock


class Late:
    """Sleeps longer than asked for, then for ever."""

    def __init__(self, clock: ManualClock, *late: float) -> None:
        self.clock = clock
        self.late = list(late)
        self.done = asyncio.Event()

    async def __call__(self, seconds: float) -> None:
        if not self.late:
            self.done.set()
            await asyncio.Event().wait()
        self.clock.advance(seconds + self.late.pop(0))


async def measured(*late: float) -> tuple[EventLoopLag, ManualClock]:
    clock = ManualClock()
    sleep = Late(clock, *late)
    lag = EventLoopLag(clock, sleep)
    task = asyncio.create_task(lag.run())
    await sleep.done.wait()
    task.cancel()
    return lag, clock


async def test_on_time() -> None:
    lag, _ = await measured(0.0, 0.01)
    assert round(lag.last, 3) == 0.01
    assert lag.check() is None


async def test_stuck() -> None:
    lag, _ = await measured(STUCK_SECONDS)
    assert lag.check() == "the event loop is 5.0 s late"


async def test_it_recovers() -> None:
    lag, _ = await measured(STUCK_SECONDS, 0.0)
    assert lag.check() is None


async def test_one_that_never_wakes_is_seen_too() -> None:
    lag, clock = await measured(0.0)
    clock.advance(INTERVAL_SECONDS + STUCK_SECONDS + 1)
    assert lag.check() == "the event loop is 6.0 s late"
