"""What the endpoints work with, put together once for each process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from anka_crds.process.clock import Clock
from anka_crds.process.health import Health
from anka_shim.cloud.caches import Stores
from anka_shim.cloud.central_logs import CentralLogs
from anka_shim.cloud.distributions import DistributionCommands
from anka_shim.cloud.groups import GroupCommands
from anka_shim.cloud.instance_views import InstanceViews
from anka_shim.cloud.instances import InstanceCommands
from anka_shim.cloud.node_views import NodeViews
from anka_shim.cloud.nodes import NodeCommands
from anka_shim.cloud.peers import Peers
from anka_shim.cloud.registry_watch import RegistryWatch
from anka_shim.cloud.saves import SaveCommands
from anka_shim.cloud.templates import TemplateCommands
from anka_shim.settings import ShimSettings
from anka_shim.translate.failure import Failure


@dataclass(frozen=True)
class Services:
    settings: ShimSettings
    clock: Clock
    stores: Stores
    instance_views: InstanceViews
    node_views: NodeViews
    commands: InstanceCommands
    groups: GroupCommands
    distributions: DistributionCommands
    nodes: NodeCommands
    templates: TemplateCommands
    saves: SaveCommands
    logs: CentralLogs
    registry: RegistryWatch
    peers: Peers
    health: Health
    unsynced: Callable[[], str | None]
    """None once the caches have been read, else what is missing."""

    def require_synced(self) -> None:
        """An empty list from a cache that was not read yet would tell CI plugins that all their VMs are gone."""
        missing = self.unsynced()
        if missing:
            raise Failure(f"starting up, try again in a moment: {missing}")
