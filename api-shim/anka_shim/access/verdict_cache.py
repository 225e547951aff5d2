"""What others say about credentials and rights, kept for a while."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

from anka_runtime.clock import Clock

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

Question = Callable[[], Awaitable[tuple[V, float]]]
"""Gives the verdict, and for how many seconds it holds. What it raises goes to all who wait, and is not kept."""


class VerdictCache(Generic[K, V]):
    """Asks once at a time about each key; forgets the oldest beyond `most`."""

    def __init__(self, clock: Clock, *, most: int) -> None:
        self._clock = clock
        self._most = most
        self._verdicts: OrderedDict[K, tuple[V, float]] = OrderedDict()
        self._tasks: dict[K, asyncio.Task[V]] = {}

    async def get(self, key: K, ask: Question[V]) -> V:
        found = self._verdicts.get(key)
        if found is not None and self._clock.monotonic() < found[1]:
            return found[0]
        task = self._tasks.get(key)
        if task is None:
            task = self._tasks[key] = asyncio.create_task(self._ask(key, ask), name="verdict")
            # An outcome that nobody waits for any longer is no error.
            task.add_done_callback(lambda done: done.cancelled() or done.exception())
        # A client that is gone takes the verdict from nobody.
        return await asyncio.shield(task)

    async def close(self) -> None:
        """End what is asked."""
        tasks = [*self._tasks.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _ask(self, key: K, ask: Question[V]) -> V:
        asked = self._clock.monotonic()
        try:
            verdict, seconds = await ask()
        finally:
            del self._tasks[key]
        self._verdicts[key] = (verdict, asked + seconds)
        self._verdicts.move_to_end(key)
        if len(self._verdicts) > self._most:
            self._verdicts.popitem(last=False)
        return verdict
