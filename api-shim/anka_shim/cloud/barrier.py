"""Read your writes on every replica: a write is answered once all others have seen it, too (decision 4)."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from anka_crds.kube.store import Store
from anka_shim.cloud.peers import Peers
from anka_shim.rest import metrics


class Barrier:
    """Both methods wait for at most `seconds` for each of what they do, and never fail: a replica that is late is told
    in the log and the metrics."""

    def __init__(self, peers: Peers, seconds: float) -> None:
        self._peers = peers
        self._seconds = seconds

    async def passed(self, store: Store[Any], version: str | None) -> None:
        """Everything of this kind up to `version` is seen by the clients of all replicas."""
        peers = self._peers.living
        if not peers or not version or not version.isdecimal():
            return
        started = time.perf_counter()
        kind = store.resource.plural
        await asyncio.gather(*(peer.reached(kind, int(version), self._seconds) for peer in peers))
        metrics.BARRIER_SECONDS.observe(time.perf_counter() - started)

    async def gone(self, store: Store[Any], uid: str | None) -> None:
        """This object is gone for the clients of all replicas. The API's answer to such a DELETE has no version: our
        own watch tells which it was."""
        if self._peers.living:
            await store.delivered(lambda: not store.awaits_deletion(uid or ""), self._seconds)
            await self.passed(store, store.seen)
