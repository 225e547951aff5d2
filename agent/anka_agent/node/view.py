"""The AnkaNode of this Mac: created at the start if there is none, with a spec from the flags, and as last seen."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from anka_crds.api import AnkaNode
from anka_crds.api.node import AnkaNodeSpec, AssignedWork, RequiredTemplate
from anka_kube.client import KubeClient
from anka_kube.errors import AlreadyExists, ApiError, NotFound
from anka_kube.resource import Resource
from anka_kube.store import Store
from anka_runtime.backoff import Backoff, Delays, system_random

log = logging.getLogger(__name__)

BACKOFF = Backoff(base=0.5, cap=10.0)


async def register(client: KubeClient, resource: Resource[AnkaNode], node: AnkaNode) -> AnkaNode:
    """The node as the API has it, created from `node` if there is none. Waits while the API is away."""
    delays = Delays(BACKOFF, system_random)
    logged = ""
    while True:
        try:
            found = await _ensure(client, resource, node)
        except ApiError as error:
            if str(error) != logged:
                log.warning("cannot join: %s; trying again until it works", error)
                logged = str(error)
            await asyncio.sleep(delays.next(error.retry_after))
        else:
            return found


async def _ensure(client: KubeClient, resource: Resource[AnkaNode], node: AnkaNode) -> AnkaNode:
    try:
        return await client.get(resource, node.metadata.name)
    except NotFound:
        pass
    try:
        body = {"metadata": {"name": node.metadata.name}, "spec": node.spec.to_api()}
        created = await client.create(resource, body)
    except AlreadyExists:
        return await client.get(resource, node.metadata.name)
    log.info("joined as a new node", extra={"node": node.metadata.name})
    return created


def owner_reference(node: AnkaNode) -> dict[str, Any]:
    """Owner of this node's Lease, which is thus deleted with the node."""
    return {"apiVersion": node.api_version, "kind": "AnkaNode", "name": node.metadata.name, "uid": node.metadata.uid}


class NodeView:
    """`joined` is the object at the start of this process: its spec counts until the watch has another one, and if the
    object is deleted. `find_address`: looks up this Mac's address; None if it has none at the moment. Blocking."""

    def __init__(self, store: Store[AnkaNode], joined: AnkaNode, find_address: Callable[[], str | None]) -> None:
        self.name = joined.metadata.name
        self.ip_address = find_address()
        self._find_address = find_address
        self._store = store
        self._joined = joined

    @property
    def current(self) -> AnkaNode | None:
        """None if the object was deleted."""
        return self._store.get(self.name)

    async def look_up_address(self) -> None:
        """A Mac gets another address while its agent runs. Without a network the last one stays."""
        found = await asyncio.to_thread(self._find_address)
        if found is not None and found != self.ip_address:
            log.info("the address of this Mac is now %s", found)
            self.ip_address = found

    @property
    def spec(self) -> AnkaNodeSpec:
        return (self.current or self._joined).spec

    @property
    def rule_templates(self) -> list[RequiredTemplate]:
        return (self.current or self._joined).status.kept_templates

    @property
    def assigned(self) -> AssignedWork:
        """What the operator says that there is to watch; nothing from one that does not say it."""
        return (self.current or self._joined).status.assigned or AssignedWork()

    @property
    def display_name(self) -> str:
        return self.spec.display_name or self.name

    @property
    def host_ip(self) -> str | None:
        """Address at which clients reach VMs of this Mac."""
        return self.spec.host or self.ip_address

    def subscribe(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call after each change; returns a function that ends this."""
        return self._store.subscribe(lambda *_: callback())

    async def wait_for(self, condition: Callable[[AnkaNode], bool], seconds: float) -> None:
        """Wait until `condition` holds. Raises TimeoutError."""

        def is_met(store: Store[AnkaNode]) -> bool | None:
            node = store.get(self.name)
            return (node is not None and condition(node)) or None

        await self._store.wait_for(is_met, seconds)
