"""What REST does to nodes: configure, and forget."""

from __future__ import annotations

from typing import Any

from anka_crds.api import AnkaNode
from anka_shim.cloud.caches import Stores
from anka_shim.cloud.objects import Objects
from anka_shim.translate.failure import NOT_FOUND, Failure


class NodeCommands:
    """Every method raises Failure."""

    def __init__(self, stores: Stores, nodes: Objects[AnkaNode]) -> None:
        self._stores = stores
        self._nodes = nodes

    async def configure(self, id_: str, spec: dict[str, Any]) -> None:
        """Merge `spec` into the node's spec, which its agent obeys."""
        node = self._known(id_)
        if spec:
            await self._nodes.merge(node.metadata.name, {"spec": spec}, what="configure the node")

    async def delete(self, id_: str) -> None:
        """Forget a Mac that is gone: the operator then releases what ran on it."""
        await self._nodes.remove(self._known(id_), what="delete the node")

    def _known(self, id_: str) -> AnkaNode:
        node = self._stores.node(id_)
        if node is None:
            raise Failure(NOT_FOUND)
        return node
