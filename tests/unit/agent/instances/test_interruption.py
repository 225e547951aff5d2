"""Work ends at once when its instance is deleted, or its time is over."""

from __future__ import annotations

import asyncio
import math

import pytest

from anka_agent.instances.interruption import Interrupted, Interruption


class Work:
    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.cancelled = False

    async def forever(self) -> None:
        self.begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.cancelled = True
            raise


@pytest.mark.parametrize("seconds", [math.inf, 60.0])
async def test_work_that_ends_is_not_interrupted(seconds: float) -> None:
    done: list[int] = []

    async def work() -> None:
        await asyncio.sleep(0)
        done.append(1)

    await Interruption().run(work(), seconds=seconds)
    assert done == [1]


async def test_a_deletion_ends_the_work() -> None:
    interruption, work = Interruption(), Work()
    running = asyncio.create_task(interruption.run(work.forever()))
    await work.begun.wait()
    interruption.deleting.set()
    with pytest.raises(Interrupted):
        await running
    assert work.cancelled


@pytest.mark.parametrize("seconds", [0.0, -5.0])
async def test_a_deadline_that_has_passed_ends_the_work(seconds: float) -> None:
    work = Work()
    with pytest.raises(Interrupted):
        await Interruption().run(work.forever(), seconds=seconds)
    assert work.cancelled or not work.begun.is_set()


async def test_an_error_of_the_work_is_its_own() -> None:
    async def fail() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await Interruption().run(fail())


async def test_cancelling_the_caller_cancels_the_work() -> None:
    work = Work()
    running = asyncio.create_task(Interruption().run(work.forever()))
    await work.begun.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert work.cancelled


async def test_a_pause_ends_with_the_deletion() -> None:
    interruption = Interruption()
    pause = asyncio.create_task(interruption.pause(3600))
    await asyncio.sleep(0)
    assert not pause.done()
    interruption.deleting.set()
    await asyncio.wait_for(pause, 20)


async def test_a_removal_pauses_in_full(monkeypatch: pytest.MonkeyPatch) -> None:
    naps: list[float] = []

    async def sleep(seconds: float) -> None:
        naps.append(seconds)

    interruption = Interruption()
    interruption.deleting.set()
    monkeypatch.setattr(asyncio, "sleep", sleep)
    await interruption.pause(3.0)
    assert naps == [3.0]
