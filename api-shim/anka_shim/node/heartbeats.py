"""The Leases of the nodes, read when somebody looks (decision 16): the last heartbeat, and usage as of then."""

import asyncio
import contextlib
import logging

from anka_crds.rules.lease_usage import parse_usage
from anka_kube.client import KubeClient
from anka_kube.errors import ApiError
from anka_kube.lease import LEASES
from anka_runtime.clock import Clock
from anka_shim.node.answer import NodeHeartbeat

log = logging.getLogger(__name__)

FRESH_SECONDS = 5.0
"""Requests within this time share one list."""
WAIT_SECONDS = 1.0
"""Longest time that a request waits for it; then it shows what was read before, or what nodes report themselves."""
DEADLINE_SECONDS = 10.0


class NodeHeartbeats:
    """`namespace`: where the Leases are."""

    def __init__(self, client: KubeClient, namespace: str, clock: Clock) -> None:
        self._client = client
        self._namespace = namespace
        self._clock = clock
        self._known: dict[str, NodeHeartbeat] = {}
        self._tried_at: float | None = None
        self._reading: asyncio.Task[None] | None = None
        self._problem = ""

    def get(self, node: str) -> NodeHeartbeat | None:
        return self._known.get(node)

    async def refresh(self) -> None:
        """Raises nothing: older figures are better than none."""
        now = self._clock.monotonic()
        if self._reading is None and (self._tried_at is None or now - self._tried_at >= FRESH_SECONDS):
            self._tried_at = now
            self._reading = asyncio.create_task(self._read(), name="heartbeats of nodes")
        if self._reading is not None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(asyncio.shield(self._reading), WAIT_SECONDS)

    async def _read(self) -> None:
        try:
            found = await self._client.list(LEASES, self._namespace, deadline=DEADLINE_SECONDS)
            self._known = {
                lease.metadata.name: NodeHeartbeat(lease.renew_time, parse_usage(lease.metadata.annotations))
                for lease in found.items
            }
            self._problem = ""
        except ApiError as error:
            if str(error) != self._problem:
                log.warning("the heartbeats of nodes are not read: %s", error)
            self._problem = str(error)
        finally:
            self._reading = None
