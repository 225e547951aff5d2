"""What REST does to nodes: configure, update, delete."""

import asyncio
from collections.abc import Sequence
from typing import Any

from anka_crds.api import AnkaNode
from anka_crds.api.permissions import NodePermission
from anka_shim.access.resource_rights import ResourceRights
from anka_shim.catalog import find_node, target_node
from anka_shim.failure import forbidden
from anka_shim.node.request import ConfigureNode, UpdateAgents, config_patch
from anka_shim.package.files import checksum_of
from anka_shim.settings import ShimSettings
from anka_shim.store.caches import Stores
from anka_shim.store.object_writer import ObjectWriter


class NodeCommands:
    """Every method raises Failure."""

    def __init__(
        self, stores: Stores, nodes: ObjectWriter[AnkaNode], settings: ShimSettings, rights: ResourceRights
    ) -> None:
        self._stores = stores
        self._nodes = nodes
        self._settings = settings
        self._rights = rights

    async def configure(self, id_: str, request: ConfigureNode) -> None:
        """Merge it into the node's spec, which the agent follows."""
        action = "configure the node"
        spec = config_patch(request)
        node = await self._nodes.find(self._target(id_, NodePermission.CHANGE_CONFIG), action=action)
        await self._nodes.merge(node.metadata.name, spec, action=action)

    async def update_agents(self, request: UpdateAgents) -> None:
        """Request one version of the agent on all these nodes: one write for each that requests another."""
        chosen = self._select(request.node_ids)
        version = self._settings.agent_version
        checksum = await asyncio.to_thread(checksum_of, self._settings.pkg_dir, f"anka-agent-{version}.tar.gz")

        def change(node: AnkaNode) -> dict[str, Any] | None:
            spec = node.spec
            if (spec.agent_version, spec.agent_checksum) == (version, checksum):
                return None
            given = {"agentChecksum": checksum} if checksum or spec.agent_checksum else {}
            return {"spec": {"agentVersion": version, **given}}

        action = "update the agents"
        names = [node.metadata.name for node in chosen]
        await asyncio.gather(*(self._nodes.rewrite(name, change, action=action) for name in names))

    async def delete(self, id_: str) -> None:
        """Delete the object of a Mac that no longer exists: the operator then releases what ran on it."""
        action = "delete the node"
        found = await self._nodes.find(self._target(id_, NodePermission.REMOVE), action=action)
        await self._nodes.remove(found, action=action)

    def _target(self, word: str, permission: NodePermission) -> str:
        """The id of the node that a request is about."""
        id_ = target_node(word, self._rights.catalog())
        self._rights.require_nodes(permission, [id_])
        return id_

    def _select(self, words: Sequence[str]) -> list[AnkaNode]:
        """Those that are named, of which each must be permitted; else all that are."""
        upgrade = NodePermission.FORCE_UPGRADE
        if words:
            catalog = self._rights.catalog()
            named = [find_node(word, catalog, "node_ids") for word in words]
            self._rights.require_nodes(upgrade, [node.metadata.name for node in named])
            return named
        every = list(self._stores.nodes)
        permitted = [node for node in every if self._rights.permits_node(node.metadata.name, upgrade)]
        if every and not permitted:
            raise forbidden()
        return permitted
