"""What one other replica is told at once: the secrets that were used here. Many share one request."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass

from anka_shim.replicas.peer import PeerError

MOST_TOGETHER = 40
"""In one request: its line stays under two kilobytes."""


@dataclass(frozen=True, slots=True)
class UsedSecret:
    """`nonce`: of its seal. `until`: when it would have ended unused, in Unix seconds."""

    nonce: bytes
    until: int


Send = Callable[[Sequence[UsedSecret]], Awaitable[Collection[bytes]]]
"""Tells the peer, and gives the nonces that it knew as used before. Raises PeerError."""


class Announcements:
    """`on_failure` is called with one line when the peer did not answer."""

    def __init__(self, send: Send, on_failure: Callable[[str], None]) -> None:
        self._send = send
        self._on_failure = on_failure
        self._waiting: list[tuple[UsedSecret, asyncio.Future[bool]]] = []
        self._task: asyncio.Task[None] | None = None

    async def tell(self, secret: UsedSecret, seconds: float) -> bool:
        """Whether the peer knew it as used. False, too, when it does not say so within `seconds`."""
        future: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append((secret, future))
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="peer secrets")
        await asyncio.wait({future}, timeout=seconds)
        return future.done() and not future.cancelled() and future.result()

    async def close(self) -> None:
        """End all waits."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        """What comes while one request is on its way shares the next."""
        batch: list[tuple[UsedSecret, asyncio.Future[bool]]] = []
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[:MOST_TOGETHER], self._waiting[MOST_TOGETHER:]
                known = await self._send([secret for secret, _ in batch])
                for secret, future in batch:
                    if not future.done():
                        future.set_result(secret.nonce in known)
        except PeerError as error:
            self._on_failure(str(error))
        finally:
            # No login waits for an answer that will not come.
            for _, future in (*batch, *self._waiting):
                future.cancel()
            self._waiting.clear()
            self._task = None
