"""The lists of the portal: which objects each row is made from."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from anka_crds.api import AnkaInstance, AnkaNode, AnkaTemplate, NodeGroup
from anka_runtime.version import package_version
from anka_shim.node.answer import load
from anka_shim.portal.rows.access import api_key_row, permission_group_row
from anka_shim.portal.rows.cloud import CLOUD_ID, RegistryState, cloud_row
from anka_shim.portal.rows.distribution import distribution_row
from anka_shim.portal.rows.group import group_row
from anka_shim.portal.rows.instance import instance_row
from anka_shim.portal.rows.mac_pool import mac_pool_row
from anka_shim.portal.rows.node import node_row
from anka_shim.portal.rows.row import Row
from anka_shim.portal.rows.save import save_row
from anka_shim.portal.rows.template import template_row
from anka_shim.portal.stream.feed import Feed, Ids
from anka_shim.portal.stream.heartbeats import ShownHeartbeats
from anka_shim.replicas.peers import Peers
from anka_shim.settings import ShimSettings
from anka_shim.stats.tracker import BindTracker
from anka_shim.store.caches import Stores
from anka_shim.store.registry_watch import RegistryWatch

Failures = Callable[[str], Mapping[str, Any] | None]
"""What has lately failed on a node, by its id."""


@dataclass
class RowSources:
    """What rows are made from."""

    settings: ShimSettings
    stores: Stores
    heartbeats: ShownHeartbeats
    registry: RegistryWatch
    binds: BindTracker
    peers: Peers
    failures: Failures = field(default=lambda _: None)


def make_feeds(found: RowSources, on_change: Callable[[], None]) -> dict[str, Feed]:
    """By kind; without those that are not watched."""
    stores = found.stores
    feeds = [
        _cloud(found, on_change),
        _nodes(found, on_change),
        _instances(stores, on_change),
        _named("templates", stores, stores.templates, template_row, on_change, (stores.groups,)),
        _named("groups", stores, stores.groups, group_row, on_change),
        _named("distributions", stores, stores.distributions, distribution_row, on_change, (stores.templates,)),
        _saves(stores, on_change),
        _api_keys(stores, on_change),
        _permission_groups(stores, on_change),
        _mac_pools(stores, on_change),
    ]
    for feed in feeds:
        feed.replica = found.peers.id
    return {feed.kind: feed for feed in feeds if all(source in stores.all for source in feed.sources)}


def _cloud(found: RowSources, on_change: Callable[[], None]) -> Feed:
    def project(_: str) -> Row:
        registry, disk = found.registry, found.registry.disk
        return cloud_row(
            version=package_version(),
            namespace=found.settings.namespace,
            node_namespace=found.settings.node_namespace,
            registry=RegistryState(
                registry.url, registry.status, disk.total if disk else None, disk.free if disk else None
            ),
            nodes=found.stores.nodes,
            average_queue_seconds=found.binds.summarize().average_queue_time,
            replicas=1 + len(found.peers.live),
        )

    return Feed("cloud", project=project, list_ids=lambda: (CLOUD_ID,), on_change=on_change)


def _nodes(found: RowSources, on_change: Callable[[], None]) -> Feed:
    stores = found.stores

    def project(id_: str) -> Row | None:
        node = stores.node(id_)
        if node is None:
            return None
        taken = load(stores.instances_on(id_))
        return node_row(node, taken, stores, heartbeat=found.heartbeats.get(id_), failures=found.failures(id_))

    def ids() -> Iterable[str]:
        return [node.metadata.name for node in stores.nodes]

    sources = (stores.nodes, stores.instances)
    feed = Feed("nodes", project=project, list_ids=ids, sources=sources, on_change=on_change)
    feed.follow(stores.nodes, _own_name)
    feed.follow(stores.instances, _nodes_of)
    feed.follow(stores.groups, _all_if_renamed(ids))
    return feed


def _nodes_of(old: AnkaInstance | None, new: AnkaInstance | None) -> Iterable[str]:
    return {obj.status.node_name for obj in (old, new) if obj is not None and obj.status.node_name}


def _instances(stores: Stores, on_change: Callable[[], None]) -> Feed:
    def project(id_: str) -> Row | None:
        obj = stores.instance(id_)
        return None if obj is None else instance_row(obj, id_, stores)

    def ids() -> Iterable[str]:
        return [stores.id_of(obj) for obj in stores.instances]

    feed = Feed("instances", project=project, list_ids=ids, sources=(stores.instances,), on_change=on_change)
    feed.follow(stores.instances, lambda old, new: [stores.id_of(obj) for obj in (old, new) if obj is not None])
    feed.follow(stores.templates, _all_if_renamed(ids))
    feed.follow(stores.groups, _all_if_renamed(ids))
    return feed


def _named(
    kind: str,
    stores: Stores,
    store: Any,
    make_row: Callable[..., Row],
    on_change: Callable[[], None],
    named: Iterable[Any] = (),
) -> Feed:
    """Of a kind whose ids are names. `named`: kinds that its objects name."""

    def project(id_: str) -> Row | None:
        obj = store.get(id_)
        return None if obj is None else make_row(obj, stores)

    def ids() -> Iterable[str]:
        return [obj.metadata.name for obj in store]

    feed = Feed(kind, project=project, list_ids=ids, sources=(store,), on_change=on_change)
    feed.follow(store, _own_name)
    for other in named:
        feed.follow(other, _all_if_renamed(ids))
    return feed


def _saves(stores: Stores, on_change: Callable[[], None]) -> Feed:
    def project(id_: str) -> Row | None:
        save = stores.save(id_)
        return None if save is None else save_row(save, id_, stores.instance_id_of(save), stores)

    def ids() -> Iterable[str]:
        return [stores.id_of(save) for save in stores.saves]

    feed = Feed("saves", project=project, list_ids=ids, sources=(stores.saves,), on_change=on_change)
    feed.follow(stores.saves, lambda old, new: [stores.id_of(obj) for obj in (old, new) if obj is not None])
    return feed


def _api_keys(stores: Stores, on_change: Callable[[], None]) -> Feed:
    def project(id_: str) -> Row | None:
        key = stores.api_key(id_)
        return None if key is None else api_key_row(key)

    def ids() -> Iterable[str]:
        return {key.spec.id for key in stores.api_keys}

    feed = Feed("apiKeys", project=project, list_ids=ids, sources=(stores.api_keys,), on_change=on_change)
    feed.follow(stores.api_keys, lambda old, new: {obj.spec.id for obj in (old, new) if obj is not None})
    return feed


def _permission_groups(stores: Stores, on_change: Callable[[], None]) -> Feed:
    def project(id_: str) -> Row | None:
        group = stores.permission_group(id_)
        return None if group is None else permission_group_row(group)

    def ids() -> Iterable[str]:
        return {group.spec.display_name for group in stores.permission_groups}

    sources = (stores.permission_groups,)
    feed = Feed("permissionGroups", project=project, list_ids=ids, sources=sources, on_change=on_change)
    feed.follow(
        stores.permission_groups, lambda old, new: {obj.spec.display_name for obj in (old, new) if obj is not None}
    )
    return feed


def _mac_pools(stores: Stores, on_change: Callable[[], None]) -> Feed:
    return _named("macPools", stores, stores.pools, lambda pool, _: mac_pool_row(pool), on_change)


def _own_name(old: Any, new: Any) -> Iterable[str]:
    return {obj.metadata.name for obj in (old, new) if obj is not None}


def _all_if_renamed(ids: Callable[[], Iterable[str]]) -> Ids:
    """Rows show what others are called, and find them by it."""

    def find(old: Any, new: Any) -> Iterable[str]:
        return ids() if old is None or new is None or _names(old) != _names(new) else ()

    return find


def _names(obj: AnkaTemplate | NodeGroup | AnkaNode) -> tuple[str | None, str | None]:
    return obj.spec.display_name, obj.status.name if isinstance(obj, AnkaTemplate) else None
