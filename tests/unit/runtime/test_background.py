from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from anka_runtime.background import Background, child_tasks


class Loop(Background):
    """Runs until it is cancelled, and notes both."""

    def __init__(self) -> None:
        self.running = asyncio.Event()
        self.cancelled = False

    @property
    def task_name(self) -> str:
        return "a loop"

    async def run(self) -> None:
        self.running.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            await asyncio.sleep(0)
            self.cancelled = True
            raise


class Bell:
    """Rings for all who listen."""

    def __init__(self) -> None:
        self.listeners: list[Callable[[str], None]] = []

    def subscribe(self, listener: Callable[[str], None]) -> Callable[[], None]:
        self.listeners.append(listener)
        return lambda: self.listeners.remove(listener)


async def test_it_hears_of_what_it_follows_until_the_block_ends() -> None:
    bell, other, heard = Bell(), Bell(), list[str]()
    bell.subscribe(heard.append)
    for _ in range(2):
        loop = Loop()
        loop.follow(bell, heard.append)
        loop.follow(other, heard.append)
        async with loop:
            assert (len(bell.listeners), len(other.listeners)) == (2, 1)
            for listener in bell.listeners:
                listener("ring")
        assert (len(bell.listeners), len(other.listeners)) == (1, 0)
    assert heard == ["ring"] * 4


async def test_it_runs_in_the_block_and_has_ended_after_it() -> None:
    loop = Loop()
    async with loop as entered:
        assert entered is loop
        await loop.running.wait()
        assert "a loop" in {task.get_name() for task in asyncio.all_tasks()}
    assert loop.cancelled
    assert "a loop" not in {task.get_name() for task in asyncio.all_tasks()}


async def fail_in(loop: Loop) -> None:
    async with loop:
        await loop.running.wait()
        raise RuntimeError("in the block")


async def test_an_error_in_the_block_ends_it_too() -> None:
    loop = Loop()
    with pytest.raises(RuntimeError, match="in the block"):
        await fail_in(loop)
    assert loop.cancelled


class Work:
    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.cancelled = False

    async def run(self) -> None:
        self.begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            await asyncio.sleep(0)  # it may take a moment to end
            self.cancelled = True
            raise


@pytest.mark.parametrize(
    "error", [None, ValueError("no"), asyncio.CancelledError()], ids=lambda one: type(one).__name__
)
async def test_what_still_runs_is_cancelled_and_awaited(error: BaseException | None) -> None:
    one, other = Work(), Work()

    async def block() -> None:
        async with child_tasks(one.run(), other.run()) as tasks:
            assert len(tasks) == 2
            await asyncio.gather(one.begun.wait(), other.begun.wait())
            if error is not None:
                raise error

    if error is None:
        await block()
    else:
        with pytest.raises(type(error)):
            await block()
    assert one.cancelled
    assert other.cancelled


async def test_a_result_is_awaited_in_the_block() -> None:
    async def fail() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        async with child_tasks(fail()) as (task,):
            await task
    async with child_tasks(fail()):
        await asyncio.sleep(0)
