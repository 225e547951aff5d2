"""The scheduler's state, kept current by every change in the stores: queue, ledger, nodes, catalog."""

import asyncio
from collections.abc import Callable, Collection, Mapping

from anka_crds.api import AnkaInstance, AnkaNode, AnkaTemplate, MACAddressPool, NodeGroup, PermissionGroup
from anka_crds.rules.references import NameCatalog, is_renaming
from anka_crds.rules.resource_permissions import ResourcePermissions, list_permissions
from anka_kube.store import EventType
from anka_operator.cluster.stores import ClusterStores
from anka_operator.registry_view.view import RegistryView
from anka_scheduler.catalog import TemplateCatalog
from anka_scheduler.groups import list_fallbacks
from anka_scheduler.ledger import Claim, Ledger, to_claim
from anka_scheduler.mac_addresses import AddressLedger
from anka_scheduler.node import SchedulableNode, to_schedulable
from anka_scheduler.queue import SchedulingQueue
from anka_scheduler.score import Placement
from anka_scheduler.shape import is_pending
from anka_scheduler.size import TemplateSizes
from anka_scheduler.snapshot import CandidateCache, Snapshot
from anka_scheduler.starvation import StarvationGuard

SLICE = 500
"""Instances that are taken in at once: 20 ms of CPU."""
CACHED_SHAPES = 256
"""Most shapes whose candidates are kept between rounds."""


class SchedulerState:
    """`assumed`: instances whose bind is being written. They are in the ledger and not in the queue, whatever the store
    says of them meanwhile."""

    def __init__(
        self,
        stores: ClusterStores,
        view: RegistryView,
        on_change: Callable[[], None],
        monotonic: Callable[[], float],
        placement: Placement = Placement.SPREAD,
        addresses: AddressLedger | None = None,
        *,
        enforces_permissions: bool = False,
    ) -> None:
        """`enforces_permissions`: instances run only where their permission group may start them."""
        self.queue = SchedulingQueue()
        self.ledger = Ledger()
        self.guard = StarvationGuard()
        self.assumed: dict[str, str] = {}
        self.waiting_since: dict[str, float] = {}
        """When each waiting instance was first seen waiting, on the monotonic clock."""
        self.unconfirmed: dict[str, asyncio.Task[None]] = {}
        """Waiting instances whose template is being read: an older state of it could be one that is gone."""
        self._confirmed: dict[str, bool] = {}
        """Waiting instances whose template was asked for since they were seen, and whether the registry answered."""
        self._stores = stores
        self._view = view
        self._on_change = on_change
        self._monotonic = monotonic
        self._placement = placement
        self._addresses = addresses or AddressLedger()
        self._sizes = TemplateSizes()
        self._nodes: dict[str, SchedulableNode] = {}
        self.groups = NameCatalog(stores.groups)
        """All NodeGroups by what people call them."""
        self._enforces_permissions = enforces_permissions
        self._permissions: Mapping[str, ResourcePermissions] | None = None
        self._catalog: TemplateCatalog | None = None
        self._cache = CandidateCache()
        self._is_loaded = False
        self._unsubscribe = [
            stores.instances.subscribe(self._on_instance),
            stores.nodes.subscribe(self._on_node),
            stores.templates.subscribe(self._on_template),
            view.subscribe(self._on_registry),
            stores.groups.subscribe(self._on_group),
            stores.pools.subscribe(self._on_pool),
            stores.permission_groups.subscribe(self._on_permission_group),
        ]
        for node in stores.nodes:
            self._set_node(to_schedulable(node, self.groups))

    async def load(self) -> None:
        """Take in the instances that the store has already, in slices: thousands at once would hold up all else in this
        process, such as renewing the Lease. Changes meanwhile come by themselves. Before the first round; once is
        enough."""
        if self._is_loaded:
            return
        for number, uid in enumerate([instance.metadata.uid for instance in self._stores.instances], 1):
            if number % SLICE == 0:
                await asyncio.sleep(0)
            # As it is by now: what was deleted meanwhile is gone.
            if (instance := self._stores.instances.by_uid(uid)) is not None:
                self._set_instance(instance)
        self._is_loaded = True

    def close(self) -> None:
        for unsubscribe in self._unsubscribe:
            unsubscribe()
        for task in self.unconfirmed.values():
            task.cancel()

    @property
    def nodes(self) -> Collection[SchedulableNode]:
        return self._nodes.values()

    def snapshot(self) -> Snapshot:
        if self._catalog is None:
            self._catalog = TemplateCatalog(self._view.templates())
        if self._permissions is None and self._enforces_permissions:
            self._permissions = list_permissions(self._stores.permission_groups)
        fallbacks = list_fallbacks(self._stores.groups, self.groups)
        self._cache.limit(CACHED_SHAPES)
        return Snapshot(
            self._nodes,
            self._catalog,
            fallbacks,
            self._sizes,
            self._placement,
            self._cache,
            groups=self.groups,
            permissions=self._permissions,
        )

    def assume(self, uid: str, claim: Claim) -> None:
        """Its bind is about to be written: it has its claim and no longer waits."""
        self.assumed[uid] = claim.node
        self.ledger.record(uid, claim)
        self.queue.remove(uid)

    def settle(self, uid: str) -> None:
        """Its bind is over, successful or not: from now on the store is right."""
        self.assumed.pop(uid, None)
        instance = self._stores.instances.by_uid(uid)
        self._addresses.settle(uid, instance, self._monotonic())
        if instance is None:
            self._remove_instance(uid)
        else:
            self._set_instance(instance)

    def _set_instance(self, instance: AnkaInstance) -> None:
        uid = instance.metadata.uid
        if uid in self.assumed and instance.status.node_name is None:
            return
        self.ledger.record(uid, to_claim(instance, self._sizes))
        if is_pending(instance):
            self.waiting_since.setdefault(uid, self._monotonic())
            if uid in self._confirmed or not self._view.has_registry:
                self.queue.add(instance)
            elif uid not in self.unconfirmed:
                self.unconfirmed[uid] = asyncio.create_task(self._confirm(uid, instance.spec.template))
        else:
            self._stop_waiting(uid)
            if uid not in self.assumed:
                self.waiting_since.pop(uid, None)

    async def _confirm(self, uid: str, template: str) -> None:
        self._confirmed[uid] = await self._view.confirm(template)
        del self.unconfirmed[uid]
        instance = self._stores.instances.by_uid(uid)
        if instance is not None:
            self._set_instance(instance)
            self._on_change()

    def is_confirmed(self, uid: str) -> bool:
        """Whether the registry told what the instance's template is, since the instance was seen."""
        return self._confirmed.get(uid, not self._view.has_registry)

    def _stop_waiting(self, uid: str) -> None:
        self.queue.remove(uid)
        self._confirmed.pop(uid, None)
        if (task := self.unconfirmed.pop(uid, None)) is not None:
            task.cancel()

    def _remove_instance(self, uid: str) -> None:
        self.assumed.pop(uid, None)
        self.waiting_since.pop(uid, None)
        self.ledger.record(uid, None)
        self._stop_waiting(uid)

    def _on_instance(self, _: EventType, old: AnkaInstance | None, new: AnkaInstance | None) -> None:
        if new is not None:
            self._set_instance(new)
        elif old is not None:
            self._remove_instance(old.metadata.uid)
        self._on_change()

    def _on_node(self, _: EventType, old: AnkaNode | None, new: AnkaNode | None) -> None:
        if new is not None:
            node = to_schedulable(new, self.groups)
            if self._nodes.get(node.name) == node:
                return
            self._set_node(node)
        elif old is not None:
            self._nodes.pop(old.metadata.name, None)
            self._cache.clear()
        self._on_change()

    def _set_node(self, node: SchedulableNode) -> None:
        self._nodes[node.name] = node
        self._cache.clear()
        self._sizes.learn(node.template_sizes)

    def _on_group(self, _: EventType, old: NodeGroup | None, new: NodeGroup | None) -> None:
        if old is not None and new is not None and old.spec == new.spec:
            return  # its status is ours, and changes with every Mac of the group
        if is_renaming(old, new):
            self.groups = NameCatalog(self._stores.groups)
            for node in self._stores.nodes:
                self._nodes[node.metadata.name] = to_schedulable(node, self.groups)
        self._cache.clear()
        self._on_change()

    def _on_pool(self, _: EventType, __: MACAddressPool | None, ___: MACAddressPool | None) -> None:
        self._on_change()

    def _on_permission_group(self, _: EventType, __: PermissionGroup | None, ___: PermissionGroup | None) -> None:
        self._permissions = None
        self._cache.clear()
        self._on_change()

    def _on_template(self, _: EventType, old: AnkaTemplate | None, new: AnkaTemplate | None) -> None:
        before, after = (None if one is None else self._view.select_facts(one) for one in (old, new))
        if before != after:
            self._on_registry()

    def _on_registry(self, _: str | None = None) -> None:
        self._catalog = None
        self._cache.clear()
        self._on_change()
