"""What REST does to nodes: configure, and forget."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

from anka_crds.api import AnkaNode
from anka_shim.cloud.objects import Objects


class NodeCommands:
    """Every method raises Failure."""

    def __init__(self, nodes: Objects[AnkaNode]) -> None:
        self._nodes = nodes

    async def configure(self, id_: str, spec: dict[str, Any]) -> None:
        """Merge `spec` into the node's spec, which its agent obeys."""
        what = "configure the node"
        node = await self._nodes.find(id_, what=what)
        if spec:
            await self._nodes.merge(node.metadata.name, {"spec": spec}, what=what)

    async def update_agents(self, ids: Iterable[str], version: str, checksum: str | None) -> None:
        """Ask for this version of the agent on all these nodes: one write for each that asks for another.

        `checksum`: of its package, if it is known."""

        def change(node: AnkaNode) -> dict[str, Any] | None:
            spec = node.spec
            if (spec.agent_version, spec.agent_checksum) == (version, checksum):
                return None
            given = {"agentChecksum": checksum} if checksum or spec.agent_checksum else {}
            return {"spec": {"agentVersion": version, **given}}

        what = "update the agents"
        await asyncio.gather(*(self._nodes.rewrite(id_, change, what=what) for id_ in ids))

    async def delete(self, id_: str) -> None:
        """Forget a Mac that is gone: the operator then releases what ran on it."""
        what = "delete the node"
        await self._nodes.remove(await self._nodes.find(id_, what=what), what=what)
