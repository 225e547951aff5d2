"""What REST does to node groups and to the nodes in them."""

import asyncio
import uuid
from collections.abc import Iterable
from typing import Any

from anka_crds.api import AnkaNode, NodeGroup
from anka_shim.catalog import group_id, target_group
from anka_shim.failure import NOT_FOUND, Failure
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

    def __init__(self, stores: Stores, groups: ObjectWriter[NodeGroup], nodes: ObjectWriter[AnkaNode]) -> None:
        self._stores = stores
        self._groups = groups
        self._nodes = nodes
        # Names and fallbacks are checked against the other groups: one change at a time, in this process.
        self._lock = asyncio.Lock()

    async def create(self, request: CreateGroup) -> NodeGroup:
        async with self._lock:
            body = group_manifest(str(uuid.uuid4()), request, self._stores, self._stores.groups)
            return await self._groups.create(body, action="create the group")

    async def update(self, id_: str, request: UpdateGroup) -> None:
        action = "update the group"
        async with self._lock:
            id_ = target_group(id_, self._stores)
            await self._groups.find(id_, action=action)
            spec = group_patch(id_, request, self._stores, self._stores.groups)
            await self._groups.merge(id_, spec, action=action)

    async def delete(self, id_: str) -> None:
        """Its nodes leave it first, and groups that fall back to it lose their fallback: when one of these writes
        fails, the group is still there and the request can be repeated."""
        action = "delete the group"
        async with self._lock:
            id_ = target_group(id_, self._stores)
            group = await self._groups.find(id_, action=action)
            for node in [node for node in self._stores.nodes if id_ in self._ids(node.spec.groups)]:
                await self._leave(node.metadata.name, (id_,), action)
            for other in [other for other in self._stores.groups if self._falls_back(other, id_)]:
                await self._groups.rewrite(
                    other.metadata.name,
                    lambda current: {"spec": {"fallbackGroup": None}} if self._falls_back(current, id_) else None,
                    action=action,
                )
            await self._groups.remove(group, action=action)

    async def join(self, request: NodesOfGroups) -> None:
        """Add every node to every group."""
        groups, nodes = read_membership(request, self._stores)

        def add(node: AnkaNode) -> dict[str, Any] | None:
            return _groups_patch(node, with_groups(self._ids(node.spec.groups), groups))

        for name in nodes:
            if not await self._nodes.rewrite(name, add, action=f"add node {name} to the group"):
                raise Failure(NOT_FOUND)

    async def leave(self, request: NodesOfGroups) -> None:
        """Remove every node from every group, even from one that it is not in."""
        groups, nodes = read_membership(request, self._stores, leaving=True)
        for name in nodes:
            await self._leave(name, groups, f"remove node {name} from the group")

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
