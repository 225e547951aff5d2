"""A verdict is kept for its time, asked for once by all who want it, and memory is bounded."""

from __future__ import annotations

import asyncio

import pytest

from anka_shim.access.verdict_cache import VerdictCache
from support.manual_clock import ManualClock


class Asked:
    def __init__(self, seconds: float = 10.0) -> None:
        self.seconds = seconds
        self.times = 0
        self.released = asyncio.Event()
        self.begun = asyncio.Event()
        self.error: Exception | None = None

    async def __call__(self) -> tuple[int, float]:
        self.times += 1
        self.begun.set()
        await self.released.wait()
        if self.error is not None:
            raise self.error
        return self.times, self.seconds


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


async def test_it_is_kept_for_its_time(clock: ManualClock) -> None:
    cache: VerdictCache[str, int] = VerdictCache(clock, most=3)
    ask = Asked()
    ask.released.set()
    assert [await cache.get("a", ask) for _ in range(3)] == [1, 1, 1]
    clock.advance(9.9)
    assert await cache.get("a", ask) == 1
    clock.advance(0.1)
    assert await cache.get("a", ask) == 2


async def test_many_ask_once(clock: ManualClock) -> None:
    cache: VerdictCache[str, int] = VerdictCache(clock, most=3)
    ask = Asked()
    waiting = [asyncio.create_task(cache.get("a", ask)) for _ in range(5)]
    await ask.begun.wait()
    # The first one leaves: the others get theirs.
    waiting[0].cancel()
    ask.released.set()
    assert await asyncio.gather(*waiting[1:]) == [1] * 4
    assert ask.times == 1


async def test_an_error_reaches_all_and_is_not_kept(clock: ManualClock) -> None:
    cache: VerdictCache[str, int] = VerdictCache(clock, most=3)
    ask = Asked()
    ask.error = ValueError("no answer")
    waiting = [asyncio.create_task(cache.get("a", ask)) for _ in range(2)]
    await ask.begun.wait()
    ask.released.set()
    assert [type(found) for found in await asyncio.gather(*waiting, return_exceptions=True)] == [ValueError] * 2
    ask.error = None
    assert await cache.get("a", ask) == 2


async def test_the_time_counts_from_the_question(clock: ManualClock) -> None:
    cache: VerdictCache[str, int] = VerdictCache(clock, most=3)
    ask = Asked()
    waiting = asyncio.create_task(cache.get("a", ask))
    await ask.begun.wait()
    clock.advance(10)
    ask.released.set()
    assert await waiting == 1
    assert await cache.get("a", ask) == 2


async def test_the_oldest_are_forgotten(clock: ManualClock) -> None:
    cache: VerdictCache[int, int] = VerdictCache(clock, most=2)
    ask = Asked()
    ask.released.set()
    assert [await cache.get(key, ask) for key in (1, 2, 3, 3, 2, 1)] == [1, 2, 3, 3, 2, 4]


async def test_closed_it_asks_no_more(clock: ManualClock) -> None:
    cache: VerdictCache[str, int] = VerdictCache(clock, most=2)
    ask = Asked()
    waiting = asyncio.create_task(cache.get("a", ask))
    await ask.begun.wait()
    await cache.close()
    with pytest.raises(asyncio.CancelledError):
        await waiting
