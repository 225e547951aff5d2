"""The caches that all reads are answered from, and the watches that keep them."""

import asyncio
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self, TypeVar

from anka_crds.api import (
    AnkaInstance,
    AnkaNode,
    AnkaTemplate,
    ApiKey,
    KubeObject,
    MACAddressPool,
    NodeGroup,
    PermissionGroup,
    SaveImage,
    TemplateDistribution,
)
from anka_crds.api.defaults import CI_NAMESPACE
from anka_crds.resources import (
    API_KEYS,
    DISTRIBUTIONS,
    GROUPS,
    INSTANCES,
    MAC_POOLS,
    NODES,
    PERMISSION_GROUPS,
    SAVES,
    TEMPLATES,
)
from anka_crds.rules.mac_addresses import AddressSet, format_address, list_claimed_addresses, parse_address
from anka_kube.client import KubeClient
from anka_kube.comparison import WatchComparison
from anka_kube.reflector import Reflector
from anka_kube.resource import M
from anka_kube.store import Store
from anka_shim.annotations import PERMISSION_GROUP, SLOT
from anka_shim.failure import Failure
from anka_shim.ids import rest_id

K = TypeVar("K", bound=KubeObject)

BY_ID = "id"
BY_NODE = "node"
BY_NAME = "name"
BY_INSTANCE = "instance"
BY_SLOT = "slot"
BY_OWNER = "owner"
"""Instances by the permission group that they are made for."""
BY_ADDRESS = "address"
"""Instances by the MAC addresses that they have, or ask for while they wait."""


class Stores:
    """One store for each kind, with the indexes that requests need. Also the Catalog that requests are read with."""

    def __init__(
        self,
        namespace: str = CI_NAMESPACE,
        *,
        with_api_keys: bool = False,
        with_mac_pools: bool = False,
        with_permission_groups: bool = False,
    ) -> None:
        """`namespace`: where REST makes objects. `with_…`: their cache is kept; else it stays empty."""
        self._namespace = namespace
        self.instances: Store[AnkaInstance] = Store(
            INSTANCES,
            {
                BY_ID: lambda obj: (self.id_of(obj),),
                BY_NODE: lambda obj: (obj.status.node_name,) if obj.status.node_name else (),
                BY_SLOT: lambda obj: (obj.metadata.annotations[SLOT],) if SLOT in obj.metadata.annotations else (),
                BY_OWNER: lambda obj: (obj.spec.permission_group,) if obj.spec.permission_group else (),
                **(
                    {BY_ADDRESS: lambda obj: map(format_address, list_claimed_addresses(obj))} if with_mac_pools else {}
                ),
            },
        )
        self.nodes: Store[AnkaNode] = Store(
            NODES, {BY_NAME: lambda obj: (obj.spec.display_name,) if obj.spec.display_name else ()}
        )
        self.templates: Store[AnkaTemplate] = Store(
            TEMPLATES, {BY_NAME: lambda obj: {name for name in (obj.status.name, obj.spec.display_name) if name}}
        )
        self.groups: Store[NodeGroup] = Store(
            GROUPS, {BY_NAME: lambda obj: (obj.spec.display_name,) if obj.spec.display_name else ()}
        )
        self.distributions: Store[TemplateDistribution] = Store(DISTRIBUTIONS)
        self.saves: Store[SaveImage] = Store(
            SAVES,
            {
                BY_ID: lambda obj: (self.id_of(obj),),
                BY_INSTANCE: lambda obj: (f"{obj.metadata.namespace}/{obj.spec.instance}",),
            },
        )
        self.api_keys: Store[ApiKey] = Store(API_KEYS, {BY_ID: lambda obj: (obj.spec.id,)})
        self.pools: Store[MACAddressPool] = Store(MAC_POOLS)
        self.permission_groups: Store[PermissionGroup] = Store(
            PERMISSION_GROUPS, {BY_NAME: lambda obj: (obj.spec.display_name,)}
        )

        stores = (self.instances, self.nodes, self.templates, self.groups, self.distributions, self.saves)
        optional = (
            (with_api_keys, self.api_keys),
            (with_mac_pools, self.pools),
            (with_permission_groups, self.permission_groups),
        )
        self.all: tuple[Store[Any], ...] = (*stores, *(store for is_kept, store in optional if is_kept))

    def id_of(self, obj: AnkaInstance | SaveImage) -> str:
        """Its id in the REST API."""
        return rest_id(obj.metadata, self._namespace)

    def instance_id_of(self, save: SaveImage) -> str:
        """Of the instance that it saves: the one that was recorded, since another may have its name now."""
        now = self.instances.get(save.spec.instance, save.metadata.namespace)
        uid = save.status.instance_id or (now.metadata.uid if now is not None else "")
        saved = save.metadata.model_copy(update={"name": save.spec.instance, "uid": uid})
        return rest_id(saved, self._namespace) or save.spec.instance

    def owner_of(self, save: SaveImage) -> str | None:
        """The permission group of its instance, which may be gone; of one that kubectl saves, while it is there."""
        instance = self.instances.get(save.spec.instance, save.metadata.namespace)
        if instance is not None and save.status.instance_id in (None, instance.metadata.uid):
            return instance.spec.permission_group
        return save.metadata.annotations.get(PERMISSION_GROUP)

    def instance(self, id_: str) -> AnkaInstance | None:
        return _first(self.instances.by_index(BY_ID, id_), id_)

    def instances_on(self, node: str) -> Sequence[AnkaInstance]:
        return self.instances.by_index(BY_NODE, node)

    def template(self, id_: str) -> AnkaTemplate | None:
        return self.templates.get(id_)

    def templates_named(self, name: str) -> Sequence[AnkaTemplate]:
        return self.templates.by_index(BY_NAME, name)

    def node(self, id_: str) -> AnkaNode | None:
        return self.nodes.get(id_)

    def nodes_named(self, name: str) -> Sequence[AnkaNode]:
        return self.nodes.by_index(BY_NAME, name)

    def group(self, id_: str) -> NodeGroup | None:
        return self.groups.get(id_)

    def groups_named(self, name: str) -> Sequence[NodeGroup]:
        return self.groups.by_index(BY_NAME, name)

    def api_key(self, id_: str) -> ApiKey | None:
        """Of several with this id, the oldest: a new object takes nothing over from one that is there."""
        return _oldest(self.api_keys.by_index(BY_ID, id_))

    def permission_group(self, name: str) -> PermissionGroup | None:
        """The same by the name that clients use."""
        return _oldest(self.permission_groups_named(name))

    def permission_groups_named(self, name: str) -> Sequence[PermissionGroup]:
        return self.permission_groups.by_index(BY_NAME, name)

    def effective_permission_groups(self) -> Sequence[PermissionGroup]:
        """Those that count, by name."""
        found = [group for group in self.permission_groups if self.permission_group(group.spec.display_name) is group]
        return sorted(found, key=lambda group: group.spec.display_name)

    @property
    def manages_addresses(self) -> bool:
        """Whether instances get MAC addresses of pools."""
        return len(self.address_set()) > 0

    def address_set(self) -> AddressSet:
        return AddressSet(self.pools)

    def used_addresses(self) -> frozenset[int]:
        """Those that instances have, or ask for while they wait. Only where addresses are managed."""
        return frozenset(filter(None, map(parse_address, self.instances.index_values(BY_ADDRESS))))

    def address_holder(self, address: str) -> AnkaInstance | None:
        """The instance that has the MAC address: of several, the oldest. Only where addresses are managed."""
        found = self.instances.by_index(BY_ADDRESS, address)
        return min(found, key=lambda one: (str(one.metadata.creation_timestamp), one.metadata.uid), default=None)

    def save(self, id_: str) -> SaveImage | None:
        return _first(self.saves.by_index(BY_ID, id_), id_)

    def all_saves(self) -> Sequence[SaveImage]:
        """Oldest first."""
        return sorted(self.saves, key=lambda save: (str(save.metadata.creation_timestamp), save.metadata.name))

    def pending_saves_of(self, instance: AnkaInstance) -> Sequence[SaveImage]:
        key = f"{instance.metadata.namespace}/{instance.metadata.name}"
        return [save for save in self.saves.by_index(BY_INSTANCE, key) if save.status.phase == "Pending"]


def _oldest(found: Sequence[K]) -> K | None:
    if len(found) == 1:
        return found[0]
    return min(found, key=lambda obj: (str(obj.metadata.creation_timestamp), obj.metadata.name), default=None)


def _first(found: Sequence[M], id_: str) -> M | None:
    """Somebody may give an object the uid of another as its name: whose uid it is comes first."""
    return next((obj for obj in found if obj.metadata.uid == id_), found[0] if found else None)


class Watches:
    """The watches that keep `stores` up to date; use as an async context manager.

    The others begin once the first has read its list: an API that can't be reached is then logged once, not six times.
    """

    def __init__(self, client: KubeClient, stores: Stores) -> None:
        self._first, *self._others = (Reflector(client, store) for store in stores.all)
        self._comparisons = [WatchComparison(client, store) for store in stores.all]
        self._tasks: list[asyncio.Task[None]] = []
        self._is_complete = False

    async def __aenter__(self) -> Self:
        work = (self._first.run(), self._run_others(), *(comparison.run() for comparison in self._comparisons))
        self._tasks = [asyncio.create_task(one) for one in work]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _run_others(self) -> None:
        await self._first.synced.wait()
        await asyncio.gather(*(reflector.run() for reflector in self._others))

    @property
    def reflectors(self) -> Sequence[Reflector[Any]]:
        return (self._first, *self._others)

    def missing_caches(self) -> str | None:
        """None once all caches have been read once, else what is missing, in one line."""
        if self._is_complete:
            # What has been read once stays: asked at each request.
            return None
        missing = [reflector.resource.plural for reflector in self.reflectors if not reflector.synced.is_set()]
        self._is_complete = not missing
        return f"not read from the Kubernetes API yet: {', '.join(missing)}" if missing else None


def require_caches(watches: Watches) -> None:
    """Raises Failure until all caches have been read once: an empty list from a cache that was not read yet would tell
    CI plugins that all their VMs are gone, and their keys."""
    missing = watches.missing_caches()
    if missing:
        raise Failure(f"starting up, try again in a moment: {missing}")
