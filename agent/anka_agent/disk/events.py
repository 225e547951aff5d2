"""Events of this node: what `kubectl describe ankanode` shows."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Literal, Protocol

from anka_crds.api import AnkaNode
from anka_crds.kube.client import KubeClient
from anka_crds.kube.errors import ApiError
from anka_crds.kube.kinds import NODES
from anka_crds.kube.unstructured import EVENTS
from anka_crds.process.clock import Clock

log = logging.getLogger(__name__)

NAMESPACE = "default"
"""Where Kubernetes keeps Events about objects that have no namespace."""
MESSAGE_LIMIT = 1024


class Tell(Protocol):
    async def __call__(self, kind: Literal["Normal", "Warning"], reason: str, message: str) -> None: ...


class NodeEvents:
    def __init__(self, client: KubeClient, node: Callable[[], AnkaNode | None], clock: Clock) -> None:
        self._client = client
        self._node = node
        self._clock = clock

    async def tell(self, kind: Literal["Normal", "Warning"], reason: str, message: str) -> None:
        """Raises nothing: an Event that is lost must not stop what it tells of. The log has it as well."""
        log.log(logging.INFO if kind == "Normal" else logging.WARNING, "%s", message, extra={"reason": reason})
        node = self._node()
        if node is None:
            return
        now = self._clock.now()
        moment = now.strftime("%Y-%m-%dT%H:%M:%SZ")
        event = {
            # As client-go names them: unique for a node by the time.
            "metadata": {"name": f"{node.metadata.name}.{int(now.timestamp() * 1e9):x}", "namespace": NAMESPACE},
            "involvedObject": {
                "apiVersion": f"{NODES.group}/{NODES.version}",
                "kind": NODES.kind,
                "name": node.metadata.name,
                "uid": node.metadata.uid,
            },
            "type": kind,
            "reason": reason,
            "message": message[:MESSAGE_LIMIT],
            "source": {"component": "anka-agent", "host": node.metadata.name},
            "firstTimestamp": moment,
            "lastTimestamp": moment,
            "count": 1,
        }
        try:
            await self._client.create(EVENTS, event, NAMESPACE)
        except ApiError as error:
            log.warning("an Event is not written: %s", error, extra={"reason": reason})
