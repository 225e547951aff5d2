"""Counts and conditions of every NodeGroup."""

from __future__ import annotations

from anka_crds.api import NodeGroup
from anka_crds.process.clock import Clock
from anka_operator.cluster import GROUP, Cluster
from anka_operator.controllers.loop import Controller, all_of
from anka_operator.controllers.serial import Serial
from anka_operator.reconcile.group import judged


class Groups(Controller):
    def __init__(self, cluster: Cluster, clock: Clock) -> None:
        super().__init__("groups", clock, window=0.25, tick=60.0)
        self._cluster = cluster
        self._serial = Serial(cluster.stores.groups)
        cluster.stores.groups.subscribe(lambda *_: self.wake())
        cluster.stores.nodes.subscribe(lambda *_: self.wake())

    async def run_once(self) -> float | None:
        await all_of(self.judge(group) for group in self._cluster.stores.groups.list())
        return None

    async def judge(self, group: NodeGroup) -> None:
        """Make the status of one group true. Raises ApiError."""
        async with self._serial.turn(group) as group:
            fallbacks = {other.metadata.name: other.spec.fallback_group for other in self._cluster.stores.groups}
            nodes = self._cluster.stores.nodes.by_index(GROUP, group.metadata.name)
            patch = judged(group, nodes, fallbacks, self.clock.now())
            if patch is not None:
                await self._cluster.write.groups.patch_status(group, patch, guarded=False)
