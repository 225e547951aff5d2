"""A burst of questions costs one or two reads, and each is answered by a read that began after it."""

from __future__ import annotations

import asyncio

import pytest

from anka_registry.errors import RegistryError
from anka_registry.shared_read import SharedRead


class Source:
    """What is read is the number of the read, and its end waits for `gate`."""

    def __init__(self) -> None:
        self.began = 0
        self.running = 0
        self.gate = asyncio.Event()
        self.error: Exception | None = None

    async def read(self) -> int:
        self.began += 1
        number = self.began
        self.running += 1
        assert self.running == 1
        await self.gate.wait()
        self.running -= 1
        if self.error is not None:
            raise self.error
        return number


async def test_who_asks_before_it_begins_shares_it_and_who_asks_later_does_not() -> None:
    source = Source()
    shared = SharedRead(source.read, pause_seconds=0)
    first = [shared.ask() for _ in range(500)]
    await asyncio.sleep(0)
    assert source.began == 1
    late = [shared.ask() for _ in range(500)]
    source.gate.set()
    assert {await one for one in first} == {1}
    assert {await one for one in late} == {2}
    assert source.began == 2


async def test_it_pauses_as_long_as_it_took(monkeypatch: pytest.MonkeyPatch) -> None:
    naps = []

    async def sleep(seconds: float) -> None:
        naps.append(seconds)

    source = Source()
    source.gate.set()
    monkeypatch.setattr(asyncio, "sleep", sleep)
    shared = SharedRead(source.read, pause_seconds=0.5)
    await shared.ask()
    await shared.ask()
    assert naps[0] == 0.5


async def test_a_failure_is_for_those_who_asked_alone(caplog: pytest.LogCaptureFixture) -> None:
    source = Source()
    source.gate.set()
    shared = SharedRead(source.read, pause_seconds=0)
    source.error = RegistryError("down")
    with pytest.raises(RegistryError, match="down"):
        await shared.ask()
    shared.ask()  # nobody waits: no complaint about an exception that was never retrieved
    source.error = None
    assert await shared.ask() == 2
    assert caplog.records == []


async def test_a_caller_that_gives_up_disturbs_nobody() -> None:
    source = Source()
    shared = SharedRead(source.read, pause_seconds=0)
    waits = shared.ask()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.001):
            await asyncio.shield(shared.ask())
    source.gate.set()
    assert await waits == 1


async def test_the_end() -> None:
    source = Source()
    shared = SharedRead(source.read, pause_seconds=0)
    assert shared.is_idle
    running = shared.ask()
    await asyncio.sleep(0)
    waits = shared.ask()
    shared.cancel()
    await asyncio.wait({running, waits})
    for one, words in ((running, "has not answered"), (waits, "was not asked")):
        with pytest.raises(RegistryError, match=f"{words}: the process ends"):
            await one
