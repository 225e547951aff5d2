"""What REST does to node groups and to the nodes in them."""

import asyncio
import uuid
from collections.abc import Iterable
from typing import Any

from anka_crds.api import AnkaNode, NodeGroup
from anka_crds.api.permissions import NodePermission
from anka_shim.access.resource_rights import ResourceRights
from anka_shim.catalog import group_id, target_group
from anka_shim.failure import NOT_FOUND, Failure, forbidden
from anka_shim.group.request import (
    CreateGroup,
    NodesOfGroups,
    UpdateGroup,
    group_manifest,
    group_patch,
    read_membership,
    with_groups,
    without_groups,
)
from anka_shim.store.caches import Stores
from anka_shim.store.object_writer import ObjectWriter


class GroupCommands:
    """Every method raises Failure."""

    def __init__(
        self, stores: Stores, groups: ObjectWriter[NodeGroup], nodes: ObjectWriter[AnkaNode], rights: ResourceRights
    ) -> None:
        self._stores = stores
        self._rights = rights
        self._groups = groups
        self._nodes = nodes
        # Names and fallbacks are checked against the other groups: one change at a time, in this process.
        self._lock = asyncio.Lock()

    def visible(self) -> list[NodeGroup]:
        """Groups of which the sender sees a node, and those without any."""
        if self._rights.member() is None:
            return list(self._stores.groups)
        used = {id_ for node in self._stores.nodes for id_ in self._ids(node.spec.groups)}
        hidden = used - {id_ for node in self._rights.nodes() for id_ in self._ids(node.spec.groups)}
        return [group for group in self._stores.groups if group.metadata.name not in hidden]

    def _require_visible(self, id_: str) -> None:
        if self._rights.member() is not None and id_ not in {group.metadata.name for group in self.visible()}:
            raise Failure(NOT_FOUND)

    async def create(self, request: CreateGroup) -> NodeGroup:
        async with self._lock:
            body = group_manifest(str(uuid.uuid4()), request, self._stores, self._stores.groups)
            return await self._groups.create(body, action="create the group")

    async def update(self, id_: str, request: UpdateGroup) -> None:
        action = "update the group"
        async with self._lock:
            id_ = target_group(id_, self._stores)
            self._require_visible(id_)
            await self._groups.find(id_, action=action)
            spec = group_patch(id_, request, self._stores, self._stores.groups)
            await self._groups.merge(id_, spec, action=action)

    async def delete(self, id_: str) -> None:
        """Its nodes leave it first, and groups that fall back to it lose their fallback: when one of these writes
        fails, the group is still there and the request can be repeated."""
        action = "delete the group"
        async with self._lock:
            id_ = target_group(id_, self._stores)
            self._require_visible(id_)
            group = await self._groups.find(id_, action=action)
            members = [node.metadata.name for node in self._stores.nodes if id_ in self._ids(node.spec.groups)]
            if not all(self._rights.permits_node(name, NodePermission.CHANGE_CONFIG) for name in members):
                raise forbidden()
            for name in members:
                await self._leave(name, (id_,), action)
            for other in [other for other in self._stores.groups if self._falls_back(other, id_)]:
                await self._groups.rewrite(
                    other.metadata.name,
                    lambda current: {"spec": {"fallbackGroup": None}} if self._falls_back(current, id_) else None,
                    action=action,
                )
            await self._groups.remove(group, action=action)

    async def join(self, request: NodesOfGroups) -> None:
        """Add every node to every group."""
        groups, nodes = self._read(request)

        def add(node: AnkaNode) -> dict[str, Any] | None:
            return _groups_patch(node, with_groups(self._ids(node.spec.groups), groups))

        for name in nodes:
            if not await self._nodes.rewrite(name, add, action=f"add node {name} to the group"):
                raise Failure(NOT_FOUND)

    async def leave(self, request: NodesOfGroups) -> None:
        """Remove every node from every group, even from one that it is not in."""
        groups, nodes = self._read(request, leaving=True)
        for name in nodes:
            await self._leave(name, groups, f"remove node {name} from the group")

    def _read(self, request: NodesOfGroups, *, leaving: bool = False) -> tuple[tuple[str, ...], tuple[str, ...]]:
        groups, nodes = read_membership(request, self._rights.catalog(), leaving=leaving)
        self._rights.require_nodes(NodePermission.CHANGE_CONFIG, nodes)
        return groups, nodes

    async def _leave(self, name: str, groups: tuple[str, ...], action: str) -> None:
        await self._nodes.rewrite(
            name, lambda node: _groups_patch(node, without_groups(self._ids(node.spec.groups), groups)), action=action
        )

    def _falls_back(self, group: NodeGroup, id_: str) -> bool:
        word = group.spec.fallback_group
        return word is not None and group_id(word, self._stores) == id_

    def _ids(self, words: Iterable[str]) -> list[str]:
        """Objects may name groups as people do."""
        return list(dict.fromkeys(group_id(word, self._stores) for word in words))


def _groups_patch(node: AnkaNode, wanted: list[str]) -> dict[str, Any] | None:
    return None if wanted == node.spec.groups else {"spec": {"groups": wanted}}
