"""Lets a few Macs at a time update their agent to spec.agentVersion."""

from __future__ import annotations

import logging

from anka_crds.api import AnkaNode
from anka_crds.kube.store import EventType
from anka_crds.process.clock import Clock
from anka_operator import metrics
from anka_operator.cluster import Cluster
from anka_operator.controllers.loop import Controller, all_of
from anka_operator.reconcile.rollout import plan

log = logging.getLogger(__name__)


class Rollout(Controller):
    """`limit`: how many at a time, as a number or a percentage of all Macs. `failures`: so many end the rollout of a
    version."""

    def __init__(self, cluster: Cluster, clock: Clock, *, limit: str, failures: int) -> None:
        super().__init__("rollout", clock, window=0.1, tick=60.0)
        self._cluster = cluster
        self._limit = limit
        self._failures = failures
        self._stopped: tuple[str, ...] = ()
        cluster.stores.nodes.subscribe(self._node)

    async def run_once(self) -> float | None:
        nodes = self._cluster.stores.nodes.list()
        planned = plan(nodes, limit=self._limit, failures=self._failures)
        for state, count in (
            ("approved", len(planned.approved)),
            ("waiting", planned.waiting),
            ("failed", planned.failed),
        ):
            metrics.AGENT_UPDATES.labels(state).set(count)
        if planned.stopped != self._stopped:
            for version in set(planned.stopped) - set(self._stopped):
                log.error("no more Macs get agent version %s: it failed on %d or more", version, self._failures)
            self._stopped = planned.stopped
        # Places are given back before they are given away: a run that is cut in between approves too few, not too many.
        changes = [(node, planned.approved.get(node.metadata.name)) for node in nodes]
        for back in (True, False):
            await all_of(self._write(node, version) for node, version in changes if (version is None) is back)
        return None

    async def _write(self, node: AnkaNode, version: str | None) -> None:
        if node.status.update_approved != version:
            await self._cluster.write.nodes.patch_status(node, {"updateApproved": version}, guarded=False)

    def _node(self, _: EventType, old: AnkaNode | None, new: AnkaNode | None) -> None:
        if old is None or new is None or _matters(old) != _matters(new):
            self.wake()


def _matters(node: AnkaNode) -> object:
    status = node.status
    return (
        node.spec.agent_version, node.spec.agent_checksum, node.metadata.deletion_timestamp,
        status.agent_version, status.agent_update, status.update_approved, status.state,
    )  # fmt: skip
