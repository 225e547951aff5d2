"""Nodes as REST shows them."""

from __future__ import annotations

from anka_shim.node.answer import NodeListOk
from support.shim_rig import rig


async def test_list_and_one() -> None:
    async with rig() as shim:
        NodeListOk.model_validate(await shim.call("GET", "/api/v1/node"))
        (node,) = await shim.body("GET", "/api/v1/node?id=mac-1")
        assert (node["node_id"], node["state"], node["vm_count"]) == ("mac-1", "Active", 0)
        assert node["groups"] == [{"id": "ios", "name": "iOS builds", "description": "", "fallback_group_id": None}]
        assert await shim.message("GET", "/api/v1/node?id=mac-9") == "Not found"
