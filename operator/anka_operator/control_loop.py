"""The loops of all controllers: wait until woken or until something is due, then reconcile everything, or each object
on its own."""

import asyncio
import logging
import math
from abc import abstractmethod
from collections.abc import Awaitable, Iterable
from typing import Any, Generic

from anka_kube.errors import ApiError, Conflict, NotFound
from anka_kube.resource import Key, M, key_of
from anka_kube.store import EventType, Store
from anka_operator import metrics
from anka_runtime.background import Background
from anka_runtime.backoff import Backoff, Delays, system_random
from anka_runtime.clock import Clock

log = logging.getLogger(__name__)

MAX_IN_FLIGHT = 32


class ControlLoop(Background):
    """Calls `run_once` soon after `wake`, when the last run said that something is due, and every `tick` seconds.

    `window`: seconds between the first wake and the run, so that a burst of events costs one run. `eager`: after a
    pause of at least `window` the run starts at once, so that a single event does not wait.
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
        self._last_error = ""

    @abstractmethod
    async def run_once(self) -> float | None:
        """Do what is due. Returns the seconds until something is due again, None if nothing is.

        Raises ApiError when the API refuses; the run is then repeated a little later.
        """

    def wake(self) -> None:
        self._woken.set()

    @property
    def is_woken(self) -> bool:
        """Whether another run is due at once."""
        return self._woken.is_set()

    async def run(self) -> None:
        self.wake()
        loop = asyncio.get_running_loop()
        ran_at = loop.time()
        while True:
            await self._woken.wait()
            pause = loop.time() - ran_at if self._eager else 0.0
            await asyncio.sleep(max(0.0, self._window - pause))
            self._woken.clear()
            due = await self._run_safely()
            ran_at = loop.time()
            delay = min(self._tick, math.inf if due is None else max(0.0, due))
            if not self._woken.is_set():
                timer = loop.call_later(delay, self._woken.set)
                try:
                    await self._woken.wait()
                finally:
                    timer.cancel()

    async def _run_safely(self) -> float | None:
        metrics.PASSES.labels(self.name).inc()
        try:
            due = await self.run_once()
        except ApiError as error:
            self.report(error)
        except Exception:  # a bug in one controller must be visible, but must not end the others
            log.exception("%s failed; it goes on", self.name)
        else:
            self._delays.reset()
            self._last_error = ""
            return due
        metrics.PASS_ERRORS.labels(self.name).inc()
        return self._delays.next()

    def report(self, error: Exception) -> None:
        """Log an error as a warning once, not at every retry."""
        text = str(error)
        level = logging.DEBUG if text == self._last_error else logging.WARNING
        log.log(level, "%s: %s; trying again", self.name, text)
        self._last_error = text

    @property
    def task_name(self) -> str:
        return f"controller {self.name}"


async def run_all(jobs: Iterable[Awaitable[None]], limit: int = MAX_IN_FLIGHT) -> None:
    """Run writes with at most `limit` in flight. A changed or deleted object is no error: its event wakes the
    controller again. Raises the first other error, after all jobs have ended."""
    gate = asyncio.Semaphore(limit)
    errors: list[BaseException] = []

    async def run(job: Awaitable[None]) -> None:
        async with gate:
            try:
                await job
            except (Conflict, NotFound):
                return
            except Exception as error:  # the other jobs must still be done
                errors.append(error)

    await asyncio.gather(*(run(job) for job in jobs))
    if errors:
        raise errors[0]


class ObjectLoop(ControlLoop, Generic[M]):
    """Reconciles the objects of `store` that were enqueued or are due; all of them after `wake` and every `tick`
    seconds. Every change of an object enqueues it.

    An object is never reconciled twice at the same time, and always in the newest version that the store has.
    """

    def __init__(self, name: str, store: Store[M], clock: Clock, *, window: float, tick: float) -> None:
        super().__init__(name, clock, window=window, tick=tick, eager=True)
        self._store = store
        self._queued: set[Key] = set()
        self._due: dict[Key, float] = {}
        """When an object is next due without any change, on the monotonic clock."""
        self._all = False
        self._all_at = -math.inf
        self.follow(store, self._enqueue_changed)

    @abstractmethod
    async def reconcile(self, obj: M) -> float:
        """Bring the status of one object up to date. Returns the seconds until time alone makes a difference, else
        infinity. Raises ApiError."""

    def wake(self) -> None:
        """Reconcile all objects."""
        self._all = True
        super().wake()

    def enqueue(self, key: Key) -> None:
        """Reconcile this object."""
        self._queued.add(key)
        super().wake()

    async def run_once(self) -> float | None:
        now = self.clock.monotonic()
        keys = self._take_keys(now)
        try:
            await run_all(self._reconcile(key) for key in keys)
        except Exception:
            # Which of them failed does not matter: the retry covers all of them.
            self._all = True
            raise
        return min(self._due.values(), default=math.inf) - now

    def _take_keys(self, now: float) -> list[Key]:
        everything = self._all or now >= self._all_at
        if everything:
            self._all, self._all_at = False, now + self._tick
            keys = [key_of(obj) for obj in self._store]
        else:
            keys = [*self._queued, *(key for key, at in self._due.items() if at <= now and key not in self._queued)]
        self._queued.clear()
        return keys

    async def _reconcile(self, key: Key) -> None:
        self._due.pop(key, None)
        obj = self._store.get(key[1], key[0])
        if obj is None:
            return
        seconds = await self.reconcile(obj)
        if math.isfinite(seconds):
            self._due[key] = self.clock.monotonic() + seconds

    def _enqueue_changed(self, _: EventType, old: M | None, new: M | None) -> None:
        obj: Any = new or old
        self.enqueue(key_of(obj))
