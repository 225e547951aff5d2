"""What every controller uses: caches, writers, and the client for what must be read from the API itself."""

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from anka_crds.resources import DISTRIBUTIONS, GROUPS, INSTANCES, MAC_POOLS, NODES, SAVES, TEMPLATES
from anka_kube.client import KubeClient
from anka_kube.comparison import find_newer
from anka_kube.errors import NotFound, Unparsable
from anka_kube.reflector import Reflector
from anka_kube.resource import Selection
from anka_kube.unstructured import EVENTS, ROLE_BINDINGS, ROLES, SECRETS, SERVICE_ACCOUNTS
from anka_kube.writer import Fence, Writer
from anka_operator.cluster.stores import ClusterStores
from anka_operator.kopf_watch.feed import KopfFeed
from anka_scheduler.mac_addresses import AddressLedger

RECONNECT_SECONDS = 10.0
"""A watch that is down for longer is not merely reconnecting."""

MAX_SINGLE_READS = 500
"""Objects that a watch has not brought yet, above which one list is cheaper."""
READS_IN_FLIGHT = 16

BOUND = Selection(field_selector="status.nodeName!=")
"""Instances that have a node."""

StoreSource = Reflector[Any] | KopfFeed[Any]
"""What keeps one store current."""


class ClusterWriters:
    """`fence` is called before every write and raises when it must not be sent."""

    def __init__(self, client: KubeClient, stores: ClusterStores, fence: Fence | None = None) -> None:
        self.instances = Writer(client, INSTANCES, stores.instances, fence=fence)
        self.nodes = Writer(client, NODES, stores.nodes, fence=fence)
        self.templates = Writer(client, TEMPLATES, stores.templates, fence=fence)
        self.groups = Writer(client, GROUPS, stores.groups, fence=fence)
        self.distributions = Writer(client, DISTRIBUTIONS, stores.distributions, fence=fence)
        self.saves = Writer(client, SAVES, stores.saves, fence=fence)
        self.pools = Writer(client, MAC_POOLS, stores.pools, fence=fence)
        self.events = Writer(client, EVENTS, fence=fence)
        self.roles = Writer(client, ROLES, fence=fence)
        self.bindings = Writer(client, ROLE_BINDINGS, fence=fence)
        self.accounts = Writer(client, SERVICE_ACCOUNTS, fence=fence)
        self.secrets = Writer(client, SECRETS, fence=fence)


class AnkaCluster:
    """`sources` keep the stores current; `fence` is what every write has to pass."""

    def __init__(self, client: KubeClient, *, fence: Fence | None = None) -> None:
        self.client = client
        self.stores = ClusterStores()
        self.addresses = AddressLedger()
        """Follows the stores where MAC addresses are managed; else it knows of none."""
        self.write = ClusterWriters(client, self.stores, fence)
        self.sources: tuple[StoreSource, ...] = ()

    def add_sources(self, sources: Iterable[StoreSource]) -> None:
        self.sources = (*self.sources, *sources)

    async def wait_synced(self) -> None:
        """Return once every store holds a complete list."""
        for source in self.sources:
            await source.synced.wait()

    async def catch_up(self) -> None:
        """Bring the store up to date with all earlier binds. Raises ApiError.

        A watch may lag: without this, a new leader could assign capacity that the last leader had assigned just before
        it died. Usually it does not, so the versions of all that are bound are compared, and only what is newer is
        read. Those that wait take nothing, however many they are; one that was released or deleted meanwhile keeps its
        place until the watch says so.
        """
        store = self.stores.instances
        listed = await self.client.list_versions(INSTANCES, BOUND, limit=0)
        newer = find_newer(store, listed)
        if len(newer) > MAX_SINGLE_READS:
            async for page in self.client.list_pages(INSTANCES, BOUND):
                for raw in page.items:
                    with suppress(ValueError):  # an object that this version does not understand: its source logs it
                        store.apply_written(INSTANCES.parse(raw))
            return
        gate = asyncio.Semaphore(READS_IN_FLIGHT)

        async def read(namespace: str, name: str) -> None:
            async with gate:
                with suppress(NotFound, Unparsable):  # deleted meanwhile; or as above
                    store.apply_written(await self.client.get(INSTANCES, name, namespace))

        await asyncio.gather(*(read(*key) for key in newer))

    @property
    def kinds_not_synced(self) -> list[str]:
        return [source.resource.plural for source in self.sources if not source.synced.is_set()]

    @property
    def kinds_not_connected(self) -> list[str]:
        """Kinds whose watch has been down for longer than a reconnect takes."""
        lost = [one for one in self.sources if not one.connected and one.last_event_age > RECONNECT_SECONDS]
        return [source.resource.plural for source in lost]

    @property
    def longest_silence(self) -> float:
        """Seconds since the most silent watch last received anything; infinite until all of them have."""
        return max(source.last_event_age for source in self.sources)
