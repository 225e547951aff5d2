"""State and conditions of every node, from its Lease and what its agent reports. Written only when they change."""

from __future__ import annotations

import math
from collections import Counter
from contextlib import suppress

from anka_crds.api import AnkaInstance, AnkaNode, NodeState
from anka_crds.kube.errors import NotFound
from anka_crds.kube.lease import LEASES, Lease
from anka_crds.kube.store import EventType
from anka_crds.process.clock import Clock
from anka_operator import metrics
from anka_operator.cluster import NODE, Cluster
from anka_operator.controllers.heartbeats import DEFAULT_DURATION_SECONDS, Heartbeats
from anka_operator.controllers.loop import Controller, all_of
from anka_operator.controllers.recorder import Recorder
from anka_operator.controllers.serial import Serial
from anka_operator.reconcile.event import changed
from anka_operator.reconcile.node import judged
from anka_operator.scheduler.fleet import node_of
from anka_operator.scheduler.size import TemplateSizes


class NodeLife(Controller):
    def __init__(
        self,
        cluster: Cluster,
        clock: Clock,
        recorder: Recorder,
        *,
        node_namespace: str,
        duration_seconds: float = DEFAULT_DURATION_SECONDS,
    ) -> None:
        super().__init__("node life", clock, window=0.05, tick=10.0)
        self._cluster = cluster
        self._recorder = recorder
        self._node_namespace = node_namespace
        self._sizes = TemplateSizes()
        self._beats = Heartbeats(duration_seconds)
        self._serial = Serial(cluster.stores.nodes)
        stores = cluster.stores
        stores.leases.subscribe(self._lease)
        stores.nodes.subscribe(self._node)
        stores.groups.subscribe(lambda *_: self.wake())
        stores.instances.subscribe(self._instance)
        for lease in stores.leases:
            self._beats.see(lease, clock.monotonic())
        for node in stores.nodes:
            self._node("ADDED", None, node)

    async def run_once(self) -> float | None:
        nodes = self._cluster.stores.nodes.list()
        await all_of(self.judge(node) for node in nodes)
        states = Counter(node.status.state.value for node in nodes if node.status.state is not None)
        for state in NodeState:
            metrics.NODES.labels(state.value).set(states[state.value])
        now = self.clock.monotonic()
        return min((self._beats.runs_out(node.metadata.name, now) for node in nodes), default=math.inf)

    async def judge(self, node: AnkaNode) -> None:
        """Make the status of one node true. Raises ApiError."""
        async with self._serial.turn(node) as node:
            alive = await self._alive(node)
            groups = {group.metadata.name for group in self._cluster.stores.groups}
            instances = self._cluster.stores.instances.by_index(NODE, node.metadata.name)
            patch = judged(node, alive, groups, self.clock.now(), instances=instances, sizes=self._sizes)
            if patch is None:
                return
            after = await self._cluster.write.nodes.patch_status(node, patch, guarded=False)
        before = node.status.state
        # That a new node is well is what everybody expects.
        if after.status.state is not before and not (before is None and after.status.state is NodeState.ACTIVE):
            await self._recorder.again(changed(after, now=self.clock.now(), reporter=self._recorder.identity))

    async def _alive(self, node: AnkaNode) -> bool | None:
        """Whether it lives. Before a node is given up, its Lease is read itself: our watch may be what is dead."""
        name, was_offline = node.metadata.name, node.status.state is NodeState.OFFLINE
        alive = self._beats.alive(name, self.clock.monotonic(), was_offline=was_offline)
        if alive is not False or was_offline:
            return alive
        with suppress(NotFound):
            lease = await self._cluster.client.get(LEASES, name, self._node_namespace)
            self._beats.see(lease, self.clock.monotonic())
        return self._beats.alive(name, self.clock.monotonic(), was_offline=was_offline)

    def _lease(self, _: EventType, old: Lease | None, new: Lease | None) -> None:
        # A Lease that was deleted stays what was last heard of the node: it runs out by itself.
        if new is None:
            return
        name, now = new.metadata.name, self.clock.monotonic()
        node = self._cluster.stores.nodes.get(name)
        offline = node is not None and node.status.state is NodeState.OFFLINE
        before = self._beats.alive(name, now, was_offline=offline)
        self._beats.see(new, now)
        if not before:
            self.wake()

    def _instance(self, _: EventType, old: AnkaInstance | None, new: AnkaInstance | None) -> None:
        """Only one that may end an Unhealthy node's illness is worth a look at once; falling ill takes its time."""
        for instance in (old, new):
            name = instance.status.node_name if instance is not None else None
            node = self._cluster.stores.nodes.get(name) if name is not None else None
            if node is not None and node.status.state is NodeState.UNHEALTHY:
                self.wake()

    def _node(self, _: EventType, old: AnkaNode | None, new: AnkaNode | None) -> None:
        if new is not None:
            self._beats.expect(new.metadata.name, self.clock.monotonic())
            self._sizes.learn(node_of(new).sizes)
        elif old is not None:
            self._beats.forget(old.metadata.name)
        self.wake()
