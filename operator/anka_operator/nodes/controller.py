"""Writes state and conditions of every AnkaNode, from its Lease and what its agent reports, when they change."""

from collections import Counter
from collections.abc import Mapping
from contextlib import suppress

from anka_crds.api import AnkaInstance, AnkaNode, NodeGroup, NodeState
from anka_crds.api.defaults import LEASE_DURATION_SECONDS
from anka_crds.rules.references import NameCatalog, is_renaming
from anka_kube.errors import NotFound
from anka_kube.lease import LEASES, Lease
from anka_kube.store import EventType
from anka_operator import metrics
from anka_operator.cluster.access import AnkaCluster
from anka_operator.cluster.stores import BY_NODE
from anka_operator.control_loop import ObjectLoop
from anka_operator.events.event import state_event, warning_event
from anka_operator.events.recorder import EventRecorder
from anka_operator.nodes.challenges import ChallengeTracker
from anka_operator.nodes.desired import compute_status, has_reported
from anka_operator.nodes.heartbeats import Heartbeats
from anka_operator.nodes.reports import ReportTracker
from anka_operator.nodes.warnings import IdentityFacts, find_new_warnings, find_twins
from anka_runtime.clock import Clock
from anka_scheduler.node import to_schedulable
from anka_scheduler.size import TemplateSizes


class NodeController(ObjectLoop[AnkaNode]):
    """`node_namespace`: where the Leases are. `duration_seconds`: how long a node without a Lease has to get one."""

    def __init__(
        self,
        cluster: AnkaCluster,
        clock: Clock,
        recorder: EventRecorder,
        *,
        node_namespace: str,
        duration_seconds: float = LEASE_DURATION_SECONDS,
    ) -> None:
        super().__init__("node life", cluster.stores.nodes, clock, window=0.05, tick=10.0)
        self._cluster = cluster
        self._recorder = recorder
        self._node_namespace = node_namespace
        self._sizes = TemplateSizes()
        self._heartbeats = Heartbeats(duration_seconds)
        self._reports = ReportTracker()
        self._challenges = ChallengeTracker()
        self._groups = NameCatalog()
        self._twins: Mapping[str, tuple[str, ...]] = {}
        stores = cluster.stores
        self.follow(stores.leases, self._on_lease)
        self.follow(stores.nodes, self._on_node)
        self.follow(stores.groups, self._on_group)
        self.follow(stores.instances, self._on_instance)
        for lease in stores.leases:
            self._heartbeats.observe(lease, clock.monotonic())
            self._challenges.observe(lease, clock.monotonic(), first=True)
        for node in stores.nodes:
            self._on_node("ADDED", None, node)

    async def run_once(self) -> float | None:
        self._groups = NameCatalog(self._cluster.stores.groups)
        twins, before = find_twins(self._cluster.stores.nodes), self._twins
        self._twins = twins
        for name in twins.keys() | before.keys():
            if twins.get(name) != before.get(name):
                self.enqueue(("", name))
        due = await super().run_once()
        states = Counter(node.status.state.value for node in self._cluster.stores.nodes if node.status.state)
        for state in NodeState:
            metrics.NODES.labels(state.value).set(states[state.value])
        return due

    async def reconcile(self, obj: AnkaNode) -> float:
        alive = await self._is_alive(obj)
        name, before = obj.metadata.name, obj.status.state
        instances = self._cluster.stores.instances.by_index(BY_NODE, name)
        monotonic = self.clock.monotonic()
        patch = compute_status(
            obj,
            alive,
            self._groups,
            self.clock.now(),
            instances=instances,
            sizes=self._sizes,
            silent=self._reports.is_silent(name, monotonic, alive=alive, reported=has_reported(obj)),
            identity=IdentityFacts(
                self._challenges.find(name, monotonic),
                self._twins.get(name, ()),
                known=self._challenges.is_known(name, monotonic),
            ),
        )
        if patch is not None:
            after = await self._cluster.write.nodes.patch_status(obj, patch, guarded=False)
            now, reporter = self.clock.now(), self._recorder.identity
            # A new node that becomes Active is not worth an Event.
            if after.status.state is not before and not (before is None and after.status.state is NodeState.ACTIVE):
                await self._recorder.post_or_count(state_event(after, now=now, reporter=reporter))
            for condition in find_new_warnings(obj, after):
                await self._recorder.post_or_count(warning_event(after, condition, now=now, reporter=reporter))
        return self._heartbeats.expires_in(name, self.clock.monotonic())

    async def _is_alive(self, node: AnkaNode) -> bool | None:
        """Before a node becomes Offline, its Lease is read from the API: our watch may be the one that is dead."""
        name, was_offline = node.metadata.name, node.status.state is NodeState.OFFLINE
        alive = self._heartbeats.is_alive(name, self.clock.monotonic(), was_offline=was_offline)
        if alive is not False or was_offline:
            return alive
        with suppress(NotFound):
            lease = await self._cluster.client.get(LEASES, name, self._node_namespace)
            self._heartbeats.observe(lease, self.clock.monotonic())
        return self._heartbeats.is_alive(name, self.clock.monotonic(), was_offline=was_offline)

    def _on_lease(self, _: EventType, old: Lease | None, new: Lease | None) -> None:
        # A deleted Lease changes nothing: the last observation expires by itself.
        if new is None:
            return
        name, now = new.metadata.name, self.clock.monotonic()
        node = self._cluster.stores.nodes.get(name)
        was_offline = node is not None and node.status.state is NodeState.OFFLINE
        before = self._heartbeats.is_alive(name, now, was_offline=was_offline)
        self._heartbeats.observe(new, now)
        if self._challenges.observe(new, now) or not before:
            self.enqueue(("", name))

    def _on_group(self, _: EventType, old: NodeGroup | None, new: NodeGroup | None) -> None:
        """Any node may name a group that is new, was deleted or has another name."""
        if is_renaming(old, new):
            self.wake()

    def _on_instance(self, _: EventType, old: AnkaInstance | None, new: AnkaInstance | None) -> None:
        """Only changes that may end the state Unhealthy are urgent: a node becomes Unhealthy slowly."""
        for instance in (old, new):
            name = instance.status.node_name if instance is not None else None
            node = self._cluster.stores.nodes.get(name) if name is not None else None
            if node is not None and node.status.state is NodeState.UNHEALTHY:
                self.enqueue(("", node.metadata.name))

    def _on_node(self, _: EventType, old: AnkaNode | None, new: AnkaNode | None) -> None:
        if new is not None:
            now = self.clock.monotonic()
            self._heartbeats.expect(new.metadata.name, now)
            self._reports.observe(new.metadata.name, new.status.updated_at, now)
            self._sizes.learn(to_schedulable(new).template_sizes)
        elif old is not None:
            for known in (self._heartbeats, self._reports, self._challenges):
                known.forget(old.metadata.name)
