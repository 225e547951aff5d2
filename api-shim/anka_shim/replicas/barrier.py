"""Read your writes on every replica (decision 4)."""

import asyncio
import time
from typing import Any

from anka_kube.store import Store
from anka_shim import metrics
from anka_shim.replicas.peers import Peers


class PeerBarrier:
    """Read your writes on every replica: a write is answered once all others have seen it, too.

    Both methods wait for at most `seconds` for each of what they do, and never fail: a replica that is late shows in
    the log and the metrics."""

    def __init__(self, peers: Peers, seconds: float) -> None:
        self._peers = peers
        self._seconds = seconds

    async def wait_for_version(self, store: Store[Any], version: str | None) -> None:
        """Until the clients of all replicas see everything of this kind up to `version`."""
        peers = self._peers.live
        if not peers or not version or not version.isdecimal():
            return
        started = time.perf_counter()
        kind = store.resource.plural
        await asyncio.gather(*(peer.wait_for(kind, int(version), self._seconds) for peer in peers))
        metrics.BARRIER_SECONDS.observe(time.perf_counter() - started)

    async def wait_for_deletion(self, store: Store[Any], uid: str | None) -> None:
        """Until this object is gone for the clients of all replicas. The API's answer to such a DELETE has no version:
        our own watch shows which it was."""
        if self._peers.live:
            await store.wait_for_delivery(lambda: not store.has_pending_deletion(uid or ""), self._seconds)
            await self.wait_for_version(store, store.delivered_version)
