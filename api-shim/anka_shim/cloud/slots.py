"""Room and time for writes: all of this process share both. And what follows each of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from anka_crds.kube.errors import Unreachable
from anka_crds.kube.resource import M
from anka_crds.kube.store import Store, newer
from anka_shim.cloud.barrier import Barrier

PARALLEL_WRITES = 32
"""Writes at a time: more only queue inside the apiserver, which works on few at once."""


class WriteSlots:
    """At most PARALLEL_WRITES at a time; everything that one request writes must be done within `seconds`."""

    def __init__(self, seconds: float, barrier: Barrier | None = None) -> None:
        self._seconds = seconds
        self._barrier = barrier
        self._slots = asyncio.Semaphore(PARALLEL_WRITES)

    def deadline(self) -> float:
        """Of a request that begins now, in the event loop's time."""
        return asyncio.get_running_loop().time() + self._seconds

    @asynccontextmanager
    async def take(self, deadline: float) -> AsyncIterator[float]:
        """Room for one write; gives the seconds that are left for it. Raises Unreachable when there is none in time."""
        try:
            async with asyncio.timeout_at(deadline):
                await self._slots.acquire()
        except TimeoutError:
            raise Unreachable("no answer in time", sent=False) from None
        try:
            yield max(0.001, deadline - asyncio.get_running_loop().time())
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
