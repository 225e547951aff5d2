"""Lets a few Macs at a time update their agent to spec.agentVersion."""

import logging

from anka_crds.api import AnkaNode
from anka_kube.store import EventType
from anka_operator import metrics
from anka_operator.agent_updates.desired import plan_rollout
from anka_operator.cluster.access import AnkaCluster
from anka_operator.control_loop import ControlLoop, run_all
from anka_runtime.clock import Clock

log = logging.getLogger(__name__)


class RolloutController(ControlLoop):
    """`limit`: how many at a time, as a number or a percentage of all Macs. `failures`: the number that ends the
    rollout of a version."""

    def __init__(self, cluster: AnkaCluster, clock: Clock, *, limit: str, failures: int) -> None:
        super().__init__("rollout", clock, window=0.1, tick=60.0)
        self._cluster = cluster
        self._limit = limit
        self._failures = failures
        self._stopped: tuple[str, ...] = ()
        self.follow(cluster.stores.nodes, self._on_node)

    async def run_once(self) -> float | None:
        nodes = self._cluster.stores.nodes.list()
        plan = plan_rollout(nodes, limit=self._limit, failures=self._failures)
        for state, count in (("approved", len(plan.approved)), ("waiting", plan.waiting), ("failed", plan.failed)):
            metrics.AGENT_UPDATES.labels(state).set(count)
        if plan.stopped != self._stopped:
            for version in set(plan.stopped) - set(self._stopped):
                log.error("no more Macs get agent version %s: it failed on %d or more", version, self._failures)
            self._stopped = plan.stopped
        approvals = [(node, plan.approved.get(node.metadata.name)) for node in nodes]
        # Only those: it runs whenever a Mac comes or goes, and tasks for a thousand Macs take three times the plan.
        changes = [(node, version) for node, version in approvals if node.status.update_approved != version]
        # Approvals are withdrawn before new ones are given: a run that is interrupted approves too few, not too many.
        for withdraw in (True, False):
            await run_all(self._write(node, version) for node, version in changes if (version is None) is withdraw)
        return None

    async def _write(self, node: AnkaNode, version: str | None) -> None:
        await self._cluster.write.nodes.patch_status(node, {"updateApproved": version}, guarded=False)

    def _on_node(self, _: EventType, old: AnkaNode | None, new: AnkaNode | None) -> None:
        if old is None or new is None or _relevant(old) != _relevant(new):
            self.wake()


def _relevant(node: AnkaNode) -> object:
    """What the plan depends on."""
    status = node.status
    return (
        node.spec.agent_version, node.spec.agent_checksum, node.metadata.deletion_timestamp,
        status.agent_version, status.agent_update, status.update_approved, status.state,
    )  # fmt: skip
