"""Answers about nodes, encoded once."""

from __future__ import annotations

import asyncio

from support.shim_rig import rig


async def test_counts_follow_the_instances_and_groups() -> None:
    async with rig() as shim:
        await shim.body("GET", "/api/v1/node")
        seen = asyncio.Event()
        shim.services.stores.instances.subscribe(lambda *_: seen.set())
        status = {"phase": "Started", "nodeName": "mac-1"}
        shim.api.put("ankainstances", "a", "team", spec={"template": "t", "resources": {"vcpu": 4}}, status=status)
        await asyncio.wait_for(seen.wait(), 60)
        (node,) = await shim.body("GET", "/api/v1/node")
        assert (node["vm_count"], node["vcpu_count"]) == (1, 4)
        renamed = asyncio.Event()
        shim.services.stores.groups.subscribe(lambda *_: renamed.set())
        shim.api.put("nodegroups", "ios", "", spec={"displayName": "new"})
        await asyncio.wait_for(renamed.wait(), 60)
        (node,) = await shim.body("GET", "/api/v1/node")
        assert node["groups"][0]["name"] == "new"
