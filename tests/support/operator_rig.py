"""The operator's caches and writers over a scripted API, with time that only the test moves."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from anka_crds.api import (
    AnkaInstance,
    AnkaNode,
    AnkaTemplate,
    MACAddressPool,
    NodeGroup,
    PermissionGroup,
    SaveImage,
    TemplateDistribution,
)
from anka_crds.api.meta import KubeObject
from anka_kube.api_clock import ApiClock
from anka_kube.client import KubeClient
from anka_kube.endpoint import Endpoint
from anka_kube.lease import micro_time
from anka_kube.reflector import Reflector
from anka_kube.resource import Selection
from anka_kube.store import Store
from anka_operator.cluster.access import AnkaCluster
from anka_operator.cluster.addresses import follow_addresses
from anka_operator.events.recorder import EventRecorder
from anka_operator.registry_view.view import RegistryView
from support.manual_clock import ManualClock
from support.scripted_api import ScriptedApi, Seen

NODES = "anka-nodes"


class Rig:
    def __init__(self, api: ScriptedApi, client: KubeClient, cluster: AnkaCluster, clock: ManualClock) -> None:
        self.api = api
        self.client = client
        self.cluster = cluster
        self.clock = clock
        self.view = RegistryView(cluster.stores.templates, None)
        """Of no registry: the AnkaTemplates are all there is."""
        self.recorder = EventRecorder(cluster, clock, identity="operator-1")

    async def put(self, *objects: KubeObject) -> None:
        """Write objects as another client would; returns once our caches have them."""
        for obj in objects:
            data = obj.to_api()
            kind = obj.DEFINITION.plural
            name, namespace = obj.metadata.name, obj.metadata.namespace or ""
            meta = {key: value for key, value in data["metadata"].items() if key not in ("name", "namespace", "uid")}
            known = self.api.put(
                kind, name, namespace, spec=data["spec"], status=data.get("status", {}),
                metadata={**meta, "uid": obj.metadata.uid},
            )  # fmt: skip
            version = known["metadata"]["resourceVersion"]
            await self.store(obj).wait_for(
                lambda store, name=name, namespace=namespace, version=version: (  # type: ignore[misc]
                    (seen := store.get(name, namespace)) is not None and seen.metadata.resource_version == version
                ),
                60,
            )

    async def remove(self, obj: KubeObject) -> None:
        self.api.remove(obj.DEFINITION.plural, obj.metadata.name, obj.metadata.namespace or "")
        store = self.store(obj)
        await store.wait_for(lambda store: store.get(obj.metadata.name, obj.metadata.namespace) is None, 60)

    async def beat(self, name: str, seconds: int = 40) -> None:
        """A heartbeat of a node, stamped with the time of the clock."""
        moment = micro_time(self.clock.now())
        known = self.api.put("leases", name, NODES, spec={"leaseDurationSeconds": seconds, "renewTime": moment})
        version = known["metadata"]["resourceVersion"]
        await self.cluster.stores.leases.wait_for(
            lambda store: (seen := store.get(name, NODES)) is not None and seen.metadata.resource_version == version, 60
        )

    def store(self, obj: KubeObject) -> Store[Any]:
        stores = self.cluster.stores
        by_kind: dict[type[KubeObject], Store[Any]] = {
            AnkaInstance: stores.instances,
            AnkaNode: stores.nodes,
            AnkaTemplate: stores.templates,
            NodeGroup: stores.groups,
            TemplateDistribution: stores.distributions,
            SaveImage: stores.saves,
            MACAddressPool: stores.pools,
            PermissionGroup: stores.permission_groups,
        }
        return by_kind[type(obj)]

    def instance(self, name: str = "one") -> AnkaInstance:
        found = self.cluster.stores.instances.get(name, "default")
        assert found is not None, f"no instance {name}"
        return found

    def node(self, name: str = "mac-1") -> AnkaNode:
        found = self.cluster.stores.nodes.get(name)
        assert found is not None, f"no node {name}"
        return found

    def writes(self) -> list[Seen]:
        """But for those of Events."""
        return [seen for seen in self._all_writes() if "/events" not in seen.path]

    def events(self) -> list[tuple[str, str, str, int]]:
        """Type, reason, message and count of each that was posted, in order."""
        posted = self.api.objects.get("events", {}).values()
        return [(one["type"], one["reason"], one["message"], one["count"]) for one in posted]

    def event_writes(self) -> int:
        return len([seen for seen in self._all_writes() if "/events" in seen.path])

    def _all_writes(self) -> list[Seen]:
        return [seen for seen in self.api.seen if seen.verb in ("create", "patch", "update", "delete")]

    async def until(self, true: Callable[[], bool]) -> None:
        """Wait until something that follows from a change of any instance is true."""
        await self.cluster.stores.instances.wait_for(lambda _: true(), 60)


@asynccontextmanager
async def watch(cluster: AnkaCluster, clock: ManualClock) -> AsyncIterator[AnkaCluster]:
    """Every store is kept current by a reflector: what controllers do does not depend on the source."""
    stores, client = cluster.stores, cluster.client
    cluster_wide = (
        stores.instances, stores.nodes, stores.templates, stores.groups, stores.distributions, stores.saves,
        stores.pools, stores.permission_groups,
    )  # fmt: skip
    async with AsyncExitStack() as running:
        running.callback(follow_addresses(stores, cluster.addresses, clock))
        reflectors: list[Reflector[Any]] = [
            *(Reflector[Any](client, store, clock=clock) for store in cluster_wide),
            Reflector(client, stores.leases, selection=Selection(NODES), clock=clock),
        ]
        for reflector in reflectors:
            await running.enter_async_context(reflector)
        cluster.add_sources(reflectors)
        await cluster.wait_synced()
        yield cluster


@asynccontextmanager
async def rig() -> AsyncIterator[Rig]:
    clock = ManualClock()
    async with (
        ScriptedApi().serve() as api,
        KubeClient(Endpoint(api.url), ApiClock(clock), sleep=clock.sleep) as client,
        watch(AnkaCluster(client), clock) as cluster,
    ):
        await api.until(lambda: api.open_streams == len(cluster.sources))
        api.seen.clear()
        yield Rig(api, client, cluster, clock)
