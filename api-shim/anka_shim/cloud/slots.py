"""Room and time for writes: all of this process share both. And what follows each of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import TypeVar

from anka_crds.kube.errors import Unreachable
from anka_crds.kube.resource import M
from anka_crds.kube.store import Store, newer
from anka_shim.cloud.barrier import Barrier

T = TypeVar("T")

PARALLEL_WRITES = 32
"""Writes at a time: more only queue inside the apiserver, which works on few at once."""


class Deadline:
    """`at`: until when a request's writes must be done, in the event loop's time. It moves while they make progress:
    an API that is slow is told from one that does not answer. Never by more than `most` seconds from the beginning."""

    def __init__(self, seconds: float, most: float) -> None:
        now = asyncio.get_running_loop().time()
        self._seconds = seconds
        self._last = now + max(seconds, most)
        self._limits: set[asyncio.Timeout] = set()
        self.at = now + seconds

    def progressed(self) -> None:
        """One of the writes is done."""
        self.at = min(asyncio.get_running_loop().time() + self._seconds, self._last)
        for limit in self._limits:
            limit.reschedule(self.at)

    @property
    def seconds(self) -> float:
        """What is left when there is progress until the end."""
        return max(0.001, self._last - asyncio.get_running_loop().time())

    async def holds(self, write: Awaitable[T]) -> T:
        """The write's result. Raises Unreachable once the time is up, whatever became of it."""
        if self.at >= self._last:
            # The write itself knows its end, and more about how it failed.
            return await write
        try:
            async with asyncio.timeout_at(self.at) as limit:
                with self.moving(limit):
                    return await write
        except TimeoutError:
            raise Unreachable("no answer in time", sent=True) from None

    @contextmanager
    def moving(self, limit: asyncio.Timeout) -> Iterator[None]:
        """This timeout moves along with it."""
        self._limits.add(limit)
        try:
            yield
        finally:
            self._limits.discard(limit)


class WriteSlots:
    """At most PARALLEL_WRITES at a time. What one request writes must be done within `seconds`; if that is many things,
    `seconds` after the one before, and within `batch_seconds` in all."""

    def __init__(self, seconds: float, barrier: Barrier | None = None, *, batch_seconds: float = 0.0) -> None:
        self._seconds = seconds
        self._batch_seconds = batch_seconds
        self._barrier = barrier
        self._slots = asyncio.Semaphore(PARALLEL_WRITES)

    def deadline(self, *, many: bool = False) -> Deadline:
        """Of a request that begins now."""
        return Deadline(self._seconds, self._batch_seconds if many else self._seconds)

    @asynccontextmanager
    async def take(self, deadline: Deadline) -> AsyncIterator[float]:
        """Room for one write; gives the seconds that are left for it. Raises Unreachable when there is none in time."""
        try:
            async with asyncio.timeout_at(deadline.at) as limit:
                with deadline.moving(limit):
                    await self._slots.acquire()
        except TimeoutError:
            raise Unreachable("no answer in time", sent=False) from None
        try:
            yield max(0.001, deadline.at - asyncio.get_running_loop().time())
        finally:
            self._slots.release()

    async def written(self, store: Store[M], *objects: M) -> None:
        """What the API answered to our writes: it is read from now on, here and at the other replicas."""
        newest: str | None = None
        for obj in objects:
            store.apply_written(obj)
            if newest is None or newer(obj.metadata.resource_version, newest):
                newest = obj.metadata.resource_version
        if self._barrier is not None:
            await self._barrier.passed(store, newest)

    async def deleted(self, store: Store[M], obj: M) -> None:
        """Our delete is done, and the object gone: nobody reads it any longer, here and at the other replicas."""
        store.apply_deleted(obj)
        if self._barrier is not None:
            await self._barrier.gone(store, obj.metadata.uid)
