"""The operator's picture of the cluster: one cache for each kind, kept by a reflector, and a writer for each."""

from __future__ import annotations

from contextlib import AsyncExitStack, suppress
from types import TracebackType
from typing import Any, Self

from anka_crds.api import AnkaInstance, AnkaNode, AnkaTemplate, NodeGroup, SaveImage, TemplateDistribution
from anka_crds.core.lifetime import limited
from anka_crds.kube.client import KubeClient
from anka_crds.kube.kinds import DISTRIBUTIONS, GROUPS, INSTANCES, NODES, SAVES, TEMPLATES
from anka_crds.kube.lease import LEASES, Lease
from anka_crds.kube.reflector import Reflector
from anka_crds.kube.store import Store
from anka_crds.kube.unstructured import EVENTS
from anka_crds.kube.writer import Fence, Writer
from anka_crds.process.clock import Clock
from anka_operator.reconcile.instance import held

NODE = "node"
"""Index: instances by status.nodeName; nodes' groups have their own."""
HELD = "held"
"""Index: instances being deleted that wait for our finalizer, under "yes"."""
LIMITED = "limited"
"""Index: instances that may wait, live or be kept for a time only, under "yes"."""
GROUP = "group"
"""Index: nodes by each of spec.groups."""
TEMPLATE = "template"
"""Index: nodes by each template on their disks."""
INSTANCE = "instance"
"""Index: requests to save images by namespace/name of their instance."""

RELIST_SECONDS = 600.0


class Stores:
    """The caches alone."""

    def __init__(self) -> None:
        self.instances: Store[AnkaInstance] = Store(
            INSTANCES,
            {
                NODE: lambda instance: [instance.status.node_name] if instance.status.node_name else [],
                HELD: lambda instance: ["yes"] if held(instance) else [],
                LIMITED: lambda instance: ["yes"] if limited(instance) else [],
            },
        )
        self.nodes: Store[AnkaNode] = Store(
            NODES,
            {
                GROUP: lambda node: node.spec.groups,
                TEMPLATE: lambda node: {template.uuid for template in node.status.templates},
            },
        )
        self.templates: Store[AnkaTemplate] = Store(TEMPLATES)
        self.groups: Store[NodeGroup] = Store(GROUPS)
        self.distributions: Store[TemplateDistribution] = Store(DISTRIBUTIONS)
        self.saves: Store[SaveImage] = Store(
            SAVES, {INSTANCE: lambda save: [f"{save.metadata.namespace}/{save.spec.instance}"]}
        )
        self.leases: Store[Lease] = Store(LEASES)


class Writers:
    def __init__(self, client: KubeClient, stores: Stores, fence: Fence | None = None) -> None:
        self.instances = Writer(client, INSTANCES, stores.instances, fence=fence)
        self.nodes = Writer(client, NODES, stores.nodes, fence=fence)
        self.templates = Writer(client, TEMPLATES, stores.templates, fence=fence)
        self.groups = Writer(client, GROUPS, stores.groups, fence=fence)
        self.distributions = Writer(client, DISTRIBUTIONS, stores.distributions, fence=fence)
        self.saves = Writer(client, SAVES, stores.saves, fence=fence)
        self.events = Writer(client, EVENTS, fence=fence)


class Cluster:
    """Caches that stay current while the context manager is open. `fence`: what every write has to pass."""

    def __init__(self, client: KubeClient, clock: Clock, *, node_namespace: str, fence: Fence | None = None) -> None:
        self.client = client
        self.stores = Stores()
        self.write = Writers(client, self.stores, fence)

        def keep(store: Store[Any], namespace: str | None = None) -> Reflector[Any]:
            return Reflector(client, store, namespace=namespace, relist_seconds=RELIST_SECONDS, clock=clock)

        self.reflectors: list[Reflector[Any]] = [
            keep(self.stores.instances),
            keep(self.stores.nodes),
            keep(self.stores.templates),
            keep(self.stores.groups),
            keep(self.stores.distributions),
            keep(self.stores.saves),
            keep(self.stores.leases, node_namespace),
        ]
        self._running = AsyncExitStack()

    async def __aenter__(self) -> Self:
        for reflector in self.reflectors:
            await self._running.enter_async_context(reflector)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._running.aclose()

    async def synced(self) -> None:
        """Return once every cache holds a complete list."""
        for reflector in self.reflectors:
            await reflector.synced.wait()

    async def catch_up(self) -> None:
        """Have in the cache what was written to instances before this call. Raises ApiError.

        A watch may lag: a new leader that decides from what it shows gives room away once more that the last leader
        had given away just before it died.
        """
        more = ""
        while True:
            page = await self.client.list_page(INSTANCES, more=more)
            for raw in page.items:
                with suppress(ValueError):  # one that this version does not understand: its reflector has told
                    self.stores.instances.apply_written(INSTANCES.parse(raw))
            more = page.more
            if not more:
                return

    @property
    def unsynced(self) -> list[str]:
        """Kinds of which no list has come yet."""
        return [one.resource.plural for one in self.reflectors if not one.synced.is_set()]

    @property
    def cut_off(self) -> list[str]:
        """Kinds whose watch has been down for longer than a reconnect takes."""
        return [one.resource.plural for one in self.reflectors if not one.connected and one.last_event_age > 10.0]

    @property
    def silence(self) -> float:
        """Seconds since the most silent watch was last heard; infinite before all were."""
        return max(one.last_event_age for one in self.reflectors)
