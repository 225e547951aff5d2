"""Releases instances that no agent can release: deleted ones without a node, and those of lost or deleted nodes."""

import math
from collections.abc import Iterator

from anka_crds.api import AnkaInstance, AnkaNode, Phase
from anka_crds.api.conditions import InstanceReason
from anka_kube.store import EventType
from anka_operator import metrics
from anka_operator.cluster.access import AnkaCluster
from anka_operator.cluster.stores import AWAITING_RELEASE, BY_NODE
from anka_operator.control_loop import ControlLoop, run_all
from anka_operator.events.event import reschedule_event
from anka_operator.events.recorder import EventRecorder
from anka_operator.instances.desired import ENDED_PHASES, describe_loss, node_loss_status, without_finalizer
from anka_operator.nodes.desired import offline_since
from anka_operator.nodes.loss import NodeLoss, assess_loss
from anka_runtime.clock import Clock


class InstanceCleanup(ControlLoop):
    """`lost_seconds`: how long a node must be Offline before its instances fail or start elsewhere."""

    def __init__(self, cluster: AnkaCluster, clock: Clock, recorder: EventRecorder, *, lost_seconds: float) -> None:
        super().__init__("cleanup", clock, window=0.01, tick=30.0)
        self._cluster = cluster
        self._recorder = recorder
        self._lost_seconds = lost_seconds
        self._missing_nodes: set[str] = set()
        """Nodes that instances name and that may no longer exist."""
        stores = cluster.stores
        self.follow(stores.instances, self._on_instance)
        self.follow(stores.nodes, self._on_node)
        for instance in stores.instances:
            self._on_instance("ADDED", None, instance)

    async def run_once(self) -> float | None:
        due = math.inf
        jobs = []
        for instance in self._cluster.stores.instances.by_index(AWAITING_RELEASE, "yes"):
            reason, wait = self._release_reason(instance)
            due = min(due, wait)
            if reason:
                jobs.append(self._release(instance, reason))
        for name in self._suspect_nodes():
            wait, silence = self._assess_loss(name)
            if wait:
                due = min(due, wait)
                continue
            for instance in self._cluster.stores.instances.by_index(BY_NODE, name):
                if instance.metadata.deletion_timestamp is None and instance.status.phase not in ENDED_PHASES:
                    jobs.append(self._give_up(instance, name, silence))
        await run_all(jobs)
        return due

    def _release_reason(self, instance: AnkaInstance) -> tuple[str, float]:
        """Why our finalizer can be removed; if it cannot yet, an empty string and the seconds to wait."""
        name = instance.status.node_name
        if name is None:
            return "never scheduled", math.inf
        wait, silence = self._assess_loss(name)
        if wait:
            return "", wait
        return ("node gone" if silence is None else "node lost"), math.inf

    def _assess_loss(self, name: str) -> NodeLoss:
        node = self._cluster.stores.nodes.get(name)
        return assess_loss(node, lost_seconds=self._lost_seconds, now=self.clock.now())

    def _suspect_nodes(self) -> Iterator[str]:
        """Nodes that are Offline, and nodes that instances name and that do not exist."""
        for node in self._cluster.stores.nodes:
            if offline_since(node) is not None:
                yield node.metadata.name
        self._missing_nodes = {
            name
            for name in self._missing_nodes
            if self._cluster.stores.nodes.get(name) is None and self._cluster.stores.instances.by_index(BY_NODE, name)
        }
        yield from sorted(self._missing_nodes)

    async def _release(self, instance: AnkaInstance, reason: str) -> None:
        # Guarded: a bind at the same time must win, for then there may be a VM.
        patch = {"metadata": {"finalizers": without_finalizer(instance)}}
        await self._cluster.write.instances.patch(instance, patch, guarded=True)
        metrics.RELEASED.labels(reason).inc()

    async def _give_up(self, instance: AnkaInstance, node: str, silence: float | None) -> None:
        reason = InstanceReason.NODE_GONE if silence is None else InstanceReason.NODE_LOST
        message = describe_loss(node, silence)
        patch = node_loss_status(instance, reason, message, now=self.clock.now())
        await self._cluster.write.instances.patch_status(instance, patch, guarded=True)
        metrics.LOST.labels(instance.spec.node_lost_policy).inc()
        # One that failed gets its Event from the handler of failures.
        if patch["phase"] == Phase.SCHEDULING.value:
            event = reschedule_event(instance, message, now=self.clock.now(), reporter=self._recorder.identity)
            await self._recorder.post_or_count(event)

    def _on_instance(self, _: EventType, old: AnkaInstance | None, new: AnkaInstance | None) -> None:
        if new is None:
            return
        name = new.status.node_name
        if name is not None and self._cluster.stores.nodes.get(name) is None:
            self._missing_nodes.add(name)
            self.wake()
        elif new.metadata.deletion_timestamp is not None:
            self.wake()

    def _on_node(self, _: EventType, old: AnkaNode | None, new: AnkaNode | None) -> None:
        if new is None and old is not None:
            self._missing_nodes.add(old.metadata.name)
        if new is None or offline_since(new) is not None:
            self.wake()
