"""What REST does to node groups and to the nodes in them."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from typing import Any

from anka_crds.api import AnkaNode, NodeGroup
from anka_shim.cloud.caches import Stores
from anka_shim.cloud.objects import Objects
from anka_shim.translate import group as translate
from anka_shim.translate.failure import NOT_FOUND, Failure
from anka_shim.translate.group import GroupRequest, Membership


class GroupCommands:
    """Every method raises Failure."""

    def __init__(
        self,
        stores: Stores,
        groups: Objects[NodeGroup],
        nodes: Objects[AnkaNode],
        *,
        new_id: Callable[[], str] = lambda: str(uuid.uuid4()),
    ) -> None:
        self._stores = stores
        self._groups = groups
        self._nodes = nodes
        self._new_id = new_id
        # Names and fallbacks are checked against the other groups: one change at a time, in this process.
        self._turn = asyncio.Lock()

    async def create(self, request: GroupRequest) -> NodeGroup:
        async with self._turn:
            body = translate.new(self._new_id(), request, self._stores, self._stores.groups)
            return await self._groups.create(body, what="create the group")

    async def update(self, id_: str, request: GroupRequest) -> None:
        what = "update the group"
        async with self._turn:
            await self._groups.find(id_, what=what)
            spec = translate.changes(id_, request, self._stores, self._stores.groups)
            if spec:
                await self._groups.merge(id_, {"spec": spec}, what=what)

    async def delete(self, id_: str) -> None:
        """Its nodes leave it first, and groups that fall back to it lose their fallback: when one of these writes
        fails, the group is still there and the request can be repeated."""
        what = "delete the group"
        async with self._turn:
            group = await self._groups.find(id_, what=what)
            for node in [node for node in self._stores.nodes if id_ in node.spec.groups]:
                await self._leave(node.metadata.name, (id_,), what)
            for other in [other for other in self._stores.groups if other.spec.fallback_group == id_]:
                await self._groups.rewrite(
                    other.metadata.name,
                    lambda seen: {"spec": {"fallbackGroup": None}} if seen.spec.fallback_group == id_ else None,
                    what=what,
                )
            await self._groups.remove(group, what=what)

    async def join(self, membership: Membership) -> None:
        """Every node into every group."""

        def added(node: AnkaNode) -> dict[str, Any] | None:
            return _groups(node, translate.joined(node.spec.groups, membership.groups))

        for name in membership.nodes:
            if not await self._nodes.rewrite(name, added, what=f"add node {name} to the group"):
                raise Failure(NOT_FOUND)

    async def leave(self, membership: Membership) -> None:
        """Every node out of every group; out of one that it is not in, too."""
        for name in membership.nodes:
            await self._leave(name, membership.groups, f"remove node {name} from the group")

    async def _leave(self, name: str, groups: tuple[str, ...], what: str) -> None:
        await self._nodes.rewrite(
            name, lambda node: _groups(node, translate.without(node.spec.groups, groups)), what=what
        )


def _groups(node: AnkaNode, wanted: list[str]) -> dict[str, Any] | None:
    return None if wanted == node.spec.groups else {"spec": {"groups": wanted}}
