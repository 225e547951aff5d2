"""Events of this node: what `kubectl describe ankanode` shows."""

import logging
from typing import Literal

from anka_agent.node.view import NodeView
from anka_crds.api.conditions import EventReason
from anka_crds.resources import NODES
from anka_crds.rules.text import format_time, shorten
from anka_kube.client import KubeClient
from anka_kube.errors import ApiError
from anka_kube.unstructured import EVENTS
from anka_runtime.clock import Clock

log = logging.getLogger(__name__)

NAMESPACE = "default"
"""Where Kubernetes keeps Events about objects that have no namespace."""
MESSAGE_LIMIT = 1024


class NodeEvents:
    def __init__(self, client: KubeClient, node: NodeView, clock: Clock) -> None:
        self._client = client
        self._node = node
        self._clock = clock

    async def record(self, kind: Literal["Normal", "Warning"], reason: EventReason, message: str) -> None:
        """Raises nothing: a lost Event must not stop the work that it describes. The log has it as well."""
        log.log(logging.INFO if kind == "Normal" else logging.WARNING, "%s", message, extra={"reason": reason.value})
        node = self._node.current
        if node is None:
            return
        now = self._clock.now()
        name, moment = node.metadata.name, format_time(now)
        event = {
            # As client-go names them: unique for a node by the time.
            "metadata": {"name": f"{name}.{int(now.timestamp() * 1e9):x}", "namespace": NAMESPACE},
            "involvedObject": {
                "apiVersion": f"{NODES.group}/{NODES.version}",
                "kind": NODES.kind,
                "name": name,
                "uid": node.metadata.uid,
            },
            "type": kind,
            "reason": reason.value,
            "message": shorten(message, MESSAGE_LIMIT),
            "source": {"component": "anka-agent", "host": name},
            "firstTimestamp": moment,
            "lastTimestamp": moment,
            "count": 1,
        }
        try:
            await self._client.create(EVENTS, event, NAMESPACE)
        except ApiError as error:
            log.warning("an Event is not written: %s", error, extra={"reason": reason.value})
