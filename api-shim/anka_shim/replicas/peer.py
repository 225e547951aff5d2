"""One other replica, polled for how far its watches are. Many writes share one request."""

import asyncio
from collections.abc import Awaitable, Callable

from anka_runtime.clock import Sleep

Ask = Callable[[str, int], Awaitable[int]]
"""(kind, version): waits a moment for the peer's watch of this kind to reach the version, and gives the version up to
which its clients see everything. Raises PeerError."""


SPACING_SECONDS = 0.025
"""Seconds between two requests about one kind: at most 40 a second, however many writes there are."""


class PeerError(Exception):
    """The peer did not answer, or not as a peer does."""


class Peer:
    """`on_failure` is called with one line when the peer did not answer, or is behind."""

    def __init__(self, ask: Ask, on_failure: Callable[[str], None], *, sleep: Sleep = asyncio.sleep) -> None:
        self._ask = ask
        self._on_failure = on_failure
        self._sleep = sleep
        self._waiting: dict[str, list[tuple[int, asyncio.Future[None]]]] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def wait_for(self, kind: str, version: int, seconds: float) -> bool:
        """Wait until the peer's clients see everything of this kind up to `version`; False when that is not known
        within `seconds`."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(kind, []).append((version, future))
        if kind not in self._tasks:
            self._tasks[kind] = asyncio.create_task(self._poll(kind), name=f"peer {kind}")
        await asyncio.wait({future}, timeout=seconds)
        return future.done() and not future.cancelled()

    async def close(self) -> None:
        """End all waits."""
        tasks = tuple(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _poll(self, kind: str) -> None:
        """Ask about the newest version that a write waits for, until none does."""
        try:
            while waiting := [(version, future) for version, future in self._waiting[kind] if not future.done()]:
                newest = max(version for version, _ in waiting)
                seen = await self._ask(kind, newest)
                for version, future in self._waiting[kind]:
                    if version <= seen and not future.done():
                        future.set_result(None)
                self._waiting[kind] = [entry for entry in self._waiting[kind] if entry[0] > seen]
                if seen < newest:
                    self._on_failure(f"it is behind: its watch of {kind} has not reached {newest}")
                    return
                await self._sleep(SPACING_SECONDS)
        except PeerError as error:
            self._on_failure(str(error))
        finally:
            # No write waits for an answer that will not come.
            for _, future in self._waiting.pop(kind):
                future.cancel()
            del self._tasks[kind]
