"""The loop that all controllers are: wait until woken or until something is due, then look at everything."""

from __future__ import annotations

import asyncio
import logging
import math
from abc import abstractmethod
from collections.abc import Awaitable, Iterable
from typing import TypeVar

from anka_crds.kube.backoff import Backoff, Delays, system_random
from anka_crds.kube.errors import ApiError, Conflict, NotFound
from anka_crds.process.background import Background
from anka_crds.process.clock import Clock
from anka_operator import metrics

log = logging.getLogger(__name__)

T = TypeVar("T")
MAX_IN_FLIGHT = 32


class Controller(Background):
    """`run_once` is repeated: soon after `wake`, when it said that it is due, and in any case every `tick` seconds.

    `window`: seconds between the first wake and the run, so that a burst of events costs one run. `eager`: after a rest
    of that long there is no wait, so that one event alone is answered at once.
    """

    def __init__(
        self, name: str, clock: Clock, *, window: float = 0.02, tick: float = 60.0, eager: bool = False
    ) -> None:
        self.name = name
        self.clock = clock
        self._window = window
        self._eager = eager
        self._tick = tick
        self._woken = asyncio.Event()
        self._delays = Delays(Backoff(base=0.2, cap=10.0), system_random)
        self._trouble = ""

    @abstractmethod
    async def run_once(self) -> float | None:
        """Look at everything, do what is due. Returns the seconds until something is due, None when nothing is.

        Raises ApiError when the API refuses; then it is repeated a little later.
        """

    def wake(self) -> None:
        self._woken.set()

    async def run(self) -> None:
        """Until cancelled."""
        self.wake()
        loop = asyncio.get_running_loop()
        ran = loop.time()
        while True:
            await self._woken.wait()
            rest = loop.time() - ran if self._eager else 0.0
            await asyncio.sleep(max(0.0, self._window - rest))
            self._woken.clear()
            due = await self._guarded()
            ran = loop.time()
            delay = min(self._tick, math.inf if due is None else max(0.0, due))
            if not self._woken.is_set():
                timer = loop.call_later(delay, self.wake)
                try:
                    await self._woken.wait()
                finally:
                    timer.cancel()

    async def _guarded(self) -> float | None:
        metrics.PASSES.labels(self.name).inc()
        try:
            due = await self.run_once()
        except ApiError as error:
            self.report(error)
        except Exception:  # a bug in one controller must be seen, but must not end the others
            log.exception("%s failed; it goes on", self.name)
        else:
            self._delays.reset()
            self._trouble = ""
            return due
        metrics.PASS_ERRORS.labels(self.name).inc()
        return self._delays.next()

    def report(self, error: Exception) -> None:
        """Say it once, not at every try."""
        text = str(error)
        log.log(logging.DEBUG if text == self._trouble else logging.WARNING, "%s: %s; trying again", self.name, text)
        self._trouble = text

    @property
    def task_name(self) -> str:
        return f"controller {self.name}"


async def all_of(jobs: Iterable[Awaitable[None]], limit: int = MAX_IN_FLIGHT) -> None:
    """Run writes with at most `limit` in flight. One that meets a changed or deleted object is not an error: the
    change wakes us again. Raises the first other error, after all have ended."""
    gate = asyncio.Semaphore(limit)
    failures: list[BaseException] = []

    async def one(job: Awaitable[None]) -> None:
        async with gate:
            try:
                await job
            except (Conflict, NotFound):
                return
            except Exception as error:  # the others must not be left undone for it
                failures.append(error)

    await asyncio.gather(*(one(job) for job in jobs))
    if failures:
        raise failures[0]
