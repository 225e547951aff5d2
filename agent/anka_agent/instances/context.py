"""What all workers share: the Mac, the API, and this node's settings as they are now."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from anka_agent.anka.operations import Operations, Usb
from anka_agent.disk.last_use import LastUse
from anka_agent.instances.inventory import Inventory
from anka_agent.instances.journal import Journal
from anka_agent.instances.pulls import Templates
from anka_agent.saves.store import saves_store
from anka_crds.api import AnkaInstance, SaveImage
from anka_crds.core.naming import vm_token
from anka_crds.kube.client import KubeClient
from anka_crds.kube.store import Store
from anka_crds.kube.writer import Writer
from anka_crds.process.clock import Clock, SystemClock


@dataclass(frozen=True)
class NodeFacts:
    """What instances show of their node."""

    name: str
    display_name: str
    host_ip: str | None


@dataclass
class Context:
    client: KubeClient
    store: Store[AnkaInstance]
    writer: Writer[AnkaInstance]
    anka: Operations
    inventory: Inventory
    templates: Templates
    journal: Journal
    node: Callable[[], NodeFacts]
    workers: int = 2
    """Clones and starts at a time."""
    network_timeout: float = 180.0
    """Seconds that a started VM has to get an address."""
    secret_timeout: float = 60.0
    """Seconds to wait for the right to read a Secret: the operator hands it out once it has bound the instance."""
    clock: Clock = field(default_factory=SystemClock)
    heavy: asyncio.Semaphore = field(init=False)
    saves: Store[SaveImage] = field(default_factory=saves_store)
    """Requests to save instances of this node."""
    save_writer: Writer[SaveImage] = field(init=False)
    last_use: LastUse = field(default_factory=LastUse)
    templates_changed: Callable[[], None] = field(default=lambda: None)
    anka_major: Callable[[], int] = field(default=lambda: 3)
    """Major version of Anka on this Mac: older ones speak another dialect."""
    usb: Callable[[], list[Usb]] = field(default=list)
    """USB devices of this Mac, as last seen."""
    usb_changed: Callable[[], None] = field(default=lambda: None)
    """To be called when a VM has taken or left a USB device."""
    hide: Callable[[bytes | str], None] = field(default=lambda secret: None)
    """To be called with every secret before it is used: it must be in no log that leaves the Mac."""

    def __post_init__(self) -> None:
        self.heavy = asyncio.Semaphore(self.workers)
        self.save_writer = Writer(self.client, self.saves.resource, self.saves)


def token_of(instance: AnkaInstance) -> str:
    """What the name of the instance's VM contains."""
    created = instance.metadata.creation_timestamp
    if created is None:
        raise ValueError(f"{instance.metadata.name} has no creationTimestamp: it does not come from the API")
    return vm_token(instance.metadata.uid, created)
