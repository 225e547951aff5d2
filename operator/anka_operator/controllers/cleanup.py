"""What nobody else can do any more: instances deleted without a node, and instances of nodes that are lost or gone."""

from __future__ import annotations

import math
from collections.abc import Iterator

from anka_crds.api import AnkaInstance, AnkaNode, Phase
from anka_crds.kube.store import EventType
from anka_crds.process.clock import Clock
from anka_operator import metrics
from anka_operator.cluster import HELD, NODE, Cluster
from anka_operator.controllers.loop import Controller, all_of
from anka_operator.controllers.recorder import Recorder
from anka_operator.reconcile.event import rescheduled
from anka_operator.reconcile.instance import OVER, lost, lost_words, without_finalizer
from anka_operator.reconcile.node import offline_since


class Cleanup(Controller):
    """`lost_seconds`: how long a node must be Offline before its instances are given up."""

    def __init__(self, cluster: Cluster, clock: Clock, recorder: Recorder, *, lost_seconds: float) -> None:
        super().__init__("cleanup", clock, window=0.01, tick=30.0)
        self._cluster = cluster
        self._recorder = recorder
        self._lost_seconds = lost_seconds
        self._suspects: set[str] = set()
        stores = cluster.stores
        stores.instances.subscribe(self._instance)
        stores.nodes.subscribe(self._node)
        for instance in stores.instances:
            self._instance("ADDED", None, instance)

    async def run_once(self) -> float | None:
        due = math.inf
        jobs = []
        for instance in self._cluster.stores.instances.by_index(HELD, "yes"):
            reason, wait = self._release_reason(instance)
            due = min(due, wait)
            if reason:
                jobs.append(self._release(instance, reason))
        for name in self._nodes_to_look_at():
            silence, wait = self._lost(name)
            if wait:
                due = min(due, wait)
                continue
            for instance in self._cluster.stores.instances.by_index(NODE, name):
                if instance.metadata.deletion_timestamp is None and instance.status.phase not in OVER:
                    jobs.append(self._give_up(instance, name, silence))
        await all_of(jobs)
        return due

    def _release_reason(self, instance: AnkaInstance) -> tuple[str, float]:
        """Why our finalizer may go; if it may not yet, the seconds to wait."""
        name = instance.status.node_name
        if name is None:
            return "never scheduled", math.inf
        silence, wait = self._lost(name)
        if wait:
            return "", wait
        return ("node gone" if silence is None else "node lost"), math.inf

    def _lost(self, name: str) -> tuple[float | None, float]:
        """(seconds of silence or None if the node is gone, seconds until it counts as lost: 0 when it does)."""
        node = self._cluster.stores.nodes.get(name)
        if node is None:
            return None, 0.0
        since = offline_since(node)
        if since is None:
            return None, math.inf
        silence = (self.clock.now() - since).total_seconds()
        return silence, max(0.0, self._lost_seconds - silence)

    def _nodes_to_look_at(self) -> Iterator[str]:
        """Nodes that are Offline, and names of nodes that instances have and that are gone."""
        for node in self._cluster.stores.nodes:
            if offline_since(node) is not None:
                yield node.metadata.name
        self._suspects = {
            name
            for name in self._suspects
            if self._cluster.stores.nodes.get(name) is None and self._cluster.stores.instances.by_index(NODE, name)
        }
        yield from sorted(self._suspects)

    async def _release(self, instance: AnkaInstance, reason: str) -> None:
        # Guarded: a bind of this moment must win, for then there may be a VM.
        patch = {"metadata": {"finalizers": without_finalizer(instance)}}
        await self._cluster.write.instances.patch(instance, patch, guarded=True)
        metrics.RELEASED.labels(reason).inc()

    async def _give_up(self, instance: AnkaInstance, node: str, silence: float | None) -> None:
        reason = "NodeGone" if silence is None else "NodeLost"
        words = lost_words(node, silence)
        patch = lost(instance, reason, words, now=self.clock.now())
        await self._cluster.write.instances.patch_status(instance, patch, guarded=True)
        metrics.LOST.labels(instance.spec.node_lost_policy).inc()
        # One that failed gets its Event as all that fail do.
        if patch["phase"] == Phase.SCHEDULING.value:
            await self._recorder.again(
                rescheduled(instance, words, now=self.clock.now(), reporter=self._recorder.identity)
            )

    def _instance(self, _: EventType, old: AnkaInstance | None, new: AnkaInstance | None) -> None:
        if new is None:
            return
        name = new.status.node_name
        if name is not None and self._cluster.stores.nodes.get(name) is None:
            self._suspects.add(name)
            self.wake()
        elif new.metadata.deletion_timestamp is not None:
            self.wake()

    def _node(self, _: EventType, old: AnkaNode | None, new: AnkaNode | None) -> None:
        if new is None and old is not None:
            self._suspects.add(old.metadata.name)
        if new is None or offline_since(new) is not None:
            self.wake()
