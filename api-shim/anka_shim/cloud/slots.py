"""Room and time for writes: all of this process share both."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from anka_crds.kube.errors import Unreachable

PARALLEL_WRITES = 32
"""Writes at a time: more only queue inside the apiserver, which works on few at once."""


class WriteSlots:
    """At most PARALLEL_WRITES at a time; everything that one request writes must be done within `seconds`."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
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
