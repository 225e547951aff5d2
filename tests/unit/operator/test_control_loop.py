"""The loop that all controllers are."""

from __future__ import annotations

import asyncio
import logging
import math

import pytest

from anka_crds.api import NodeGroup
from anka_crds.resources import GROUPS
from anka_kube.errors import ApiError, Conflict, NotFound, ServerError
from anka_kube.store import Store
from anka_operator.control_loop import ControlLoop, ObjectLoop, run_all
from support.manual_clock import ManualClock
from support.objects import group


class Counting(ControlLoop):
    def __init__(
        self, *answers: float | Exception | None, tick: float = 60.0, window: float = 0.0, eager: bool = False
    ) -> None:
        super().__init__("counting", ManualClock(), window=window, tick=tick, eager=eager)
        self.answers = list(answers)
        self.runs = 0
        self.ran = asyncio.Event()

    async def run_once(self) -> float | None:
        self.runs += 1
        self.ran.set()
        answer = self.answers.pop(0) if self.answers else None
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def reaches(self, runs: int) -> None:
        async with asyncio.timeout(60):
            while self.runs < runs:
                self.ran.clear()
                await self.ran.wait()


async def test_it_runs_at_the_start_and_when_woken() -> None:
    async with Counting() as controller:
        await controller.reaches(1)
        controller.wake()
        await controller.reaches(2)


async def test_many_wakes_are_one_run() -> None:
    async with Counting() as controller:
        await controller.reaches(1)
        for _ in range(100):
            controller.wake()
        await controller.reaches(2)
        await asyncio.sleep(0)
        assert controller.runs == 2


@pytest.mark.parametrize("eager", [True, False])
async def test_the_first_after_a_rest_is_answered_at_once_if_eager(eager: bool) -> None:
    window = 0.2
    loop = asyncio.get_running_loop()
    async with Counting(window=window, eager=eager) as controller:
        await controller.reaches(1)
        await asyncio.sleep(window)
        woken = loop.time()
        controller.wake()
        await controller.reaches(2)
        first = loop.time() - woken
        controller.wake()
        await controller.reaches(3)
        second = loop.time() - woken - first
    # Never earlier than the window in a burst; how much later is the machine's affair.
    assert second >= window * 0.9
    assert eager or first >= window * 0.9
    assert not eager or first < second


async def test_what_is_due_is_done_without_a_wake() -> None:
    async with Counting(0.01, 0.0) as controller:
        await controller.reaches(3)


async def test_the_tick_comes_in_any_case() -> None:
    async with Counting(1000.0, tick=0.01) as controller:
        await controller.reaches(3)


async def test_a_wake_during_a_run_is_not_lost() -> None:
    class Slow(Counting):
        async def run_once(self) -> float | None:
            if self.runs == 0:
                self.wake()
            return await super().run_once()

    async with Slow() as controller:
        await controller.reaches(2)


async def test_trouble_is_told_once_and_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    trouble = [ServerError(500, "InternalError", "boom") for _ in range(3)]
    with caplog.at_level(logging.WARNING):
        async with Counting(*trouble) as controller:
            await controller.reaches(4)
    assert [record.getMessage() for record in caplog.records] == ["counting: 500 InternalError: boom; trying again"]


async def test_a_bug_does_not_end_it(caplog: pytest.LogCaptureFixture) -> None:
    async with Counting(ZeroDivisionError("bug")) as controller:
        await controller.reaches(2)
    assert "counting failed; it goes on" in caplog.text


async def test_all_of_does_all_and_tells_the_first_error() -> None:
    done = []

    async def job(name: str, error: Exception | None = None) -> None:
        if error is not None:
            raise error
        done.append(name)

    with pytest.raises(ApiError, match="boom"):
        await run_all(
            [
                job("a"),
                job("b", Conflict(409, "Conflict", "changed")),
                job("c", ServerError(500, "InternalError", "boom")),
                job("d", NotFound(404, "NotFound", "gone")),
                job("e"),
            ]
        )
    assert done == ["a", "e"]


async def test_all_of_bounds_what_is_in_flight() -> None:
    flying = most = 0

    async def job() -> None:
        nonlocal flying, most
        flying += 1
        most = max(most, flying)
        await asyncio.sleep(0)
        flying -= 1

    await run_all((job() for _ in range(20)), limit=3)
    assert most == 3


TICK = 60.0


class Recording(ObjectLoop[NodeGroup]):
    def __init__(self) -> None:
        self.store: Store[NodeGroup] = Store(GROUPS)
        for name in ("a", "b"):
            self.store.observe(group(name))
        super().__init__("recording", self.store, ManualClock(), window=0.0, tick=TICK)
        self.done: list[str] = []
        self.due: dict[str, float] = {}
        self.error: Exception | None = None

    async def reconcile(self, obj: NodeGroup) -> float:
        self.done.append(obj.metadata.name)
        if self.error is not None:
            raise self.error
        return self.due.pop(obj.metadata.name, math.inf)

    async def run_after(self, seconds: float = 0.0) -> list[str]:
        """What a run reconciles that many seconds later."""
        self.clock.advance(seconds)  # type: ignore[attr-defined]
        self.done = []
        await self.run_once()
        return sorted(self.done)


@pytest.fixture
def loop() -> Recording:
    return Recording()


async def test_everything_at_first_and_every_tick(loop: Recording) -> None:
    assert await loop.run_after() == ["a", "b"]
    assert await loop.run_after(TICK - 1) == []
    assert await loop.run_after(1) == ["a", "b"]


async def test_what_changes(loop: Recording) -> None:
    await loop.run_after()
    loop.store.observe(group("c"))
    loop.enqueue(("", "a"))
    assert await loop.run_after() == ["a", "c"]
    assert await loop.run_after() == []


async def test_what_is_deleted(loop: Recording) -> None:
    loop.due = {"a": 5}
    await loop.run_after()
    loop.store.observe_deleted(("", "a"), "uid-a", "99")
    assert await loop.run_after(5) == []
    assert await loop.run_once() == math.inf


async def test_what_is_due(loop: Recording) -> None:
    loop.due = {"b": 5}
    await loop.run_after()
    assert await loop.run_once() == 5
    assert await loop.run_after(4) == []
    assert await loop.run_after(1) == ["b"]
    assert await loop.run_after(5) == []


async def test_all_on_demand(loop: Recording) -> None:
    await loop.run_after()
    loop.wake()
    assert await loop.run_after() == ["a", "b"]


async def test_after_an_error_all_are_tried_again(loop: Recording) -> None:
    await loop.run_after()
    loop.error = ServerError(500, "InternalError", "no")
    loop.enqueue(("", "a"))
    with pytest.raises(ServerError):
        await loop.run_after()
    loop.error = None
    assert await loop.run_after() == ["a", "b"]
