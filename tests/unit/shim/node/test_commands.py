"""Changes of nodes through REST."""

from __future__ import annotations

import asyncio
import hashlib
import json
from pathlib import Path

from anka_runtime.version import package_version
from support.shim_rig import rig


async def test_configure() -> None:
    async with rig() as shim:
        change = {"node_id": "mac-1", "name": "MacPro1", "max_vm_count": "6", "drain_mode": True, "odd": 1}
        assert await shim.call("POST", "/api/v1/node/config", json=change) == {"status": "OK", "message": ""}
        # As curl and other clients send it, in the query too.
        raw, form = json.dumps({"host": "mac.test"}), {"Content-Type": "application/x-www-form-urlencoded"}
        await shim.body("POST", "/api/v1/node/config?node_id=mac-1", content=raw, headers=form)
        assert shim.api.objects["ankanodes"][("", "mac-1")]["spec"] == {
            "groups": ["ios"],
            "displayName": "MacPro1",
            "maxVmCount": 6,
            "drainMode": True,
            "host": "mac.test",
        }
        (node,) = await shim.body("GET", "/api/v1/node")
        assert (node["node_name"], node["capacity"], node["state"]) == ("MacPro1", 6, "Drain Mode")
        assert shim.api.count("patch") == 2
        await shim.body("POST", "/api/v1/node/config", json={"node_id": "mac-1"})
        assert shim.api.count("patch") == 2
        assert await shim.message("POST", "/api/v1/node/config", json={"node_id": "mac-9"}) == "Not found"
        assert await shim.message("POST", "/api/v1/node/config", json={}) == "node_id: is required, the id of a node"


async def test_delete() -> None:
    async with rig() as shim:
        assert await shim.call("DELETE", "/api/v1/node", json={"node_id": "mac-1"}) == {"status": "OK", "message": ""}
        assert await shim.body("GET", "/api/v1/node") == []
        assert shim.api.objects["ankanodes"] == {}
        assert await shim.message("DELETE", "/api/v1/node", json={"node_id": "mac-1"}) == "Not found"
        assert await shim.message("DELETE", "/api/v1/node") == "node_id: is required, the id of a node"


async def test_update_asks_all_nodes_for_our_version_of_the_agent() -> None:
    async with rig(agent_version="1.2.3") as shim:
        seen = asyncio.Event()
        shim.services.stores.nodes.subscribe(lambda *_: seen.set())
        shim.api.put("ankanodes", "mac-2", "", spec={"agentVersion": "1.2.3"})
        await asyncio.wait_for(seen.wait(), 60)
        assert await shim.call("PUT", "/api/v1/node/update") == {"status": "OK", "message": ""}
        assert shim.api.objects["ankanodes"]["", "mac-1"]["spec"] == {"groups": ["ios"], "agentVersion": "1.2.3"}
        # One write for the node that differed, and none for a request that changes nothing.
        await shim.body("PUT", "/api/v1/node/update")
        assert shim.api.count("patch") == 1


async def test_update_of_some_nodes() -> None:
    async with rig() as shim:
        seen = asyncio.Event()
        shim.services.stores.nodes.subscribe(lambda *_: seen.set())
        shim.api.put("ankanodes", "mac-2", "", spec={})
        await asyncio.wait_for(seen.wait(), 60)
        update = "/api/v1/node/update"
        assert await shim.message("PUT", update, json={"node_ids": ["mac-2", "x"]}) == (
            "node_ids: no such node (given: 'x')"
        )
        assert shim.api.count("patch") == 0
        await shim.body("PUT", update, json={"node_ids": ["mac-2"]})
        assert shim.api.objects["ankanodes"]["", "mac-2"]["spec"] == {"agentVersion": package_version()}
        assert shim.api.count("patch") == 1


async def test_the_checksum_of_our_package_goes_with_the_wish(tmp_path: Path) -> None:
    package = tmp_path / "anka-agent-1.2.3.tar.gz"
    package.write_bytes(b"one")
    async with rig(agent_version="1.2.3", pkg_dir=tmp_path) as shim:
        for content in (b"one", b"mended"):
            package.write_bytes(content)
            await shim.body("PUT", "/api/v1/node/update")
            spec = shim.api.objects["ankanodes"]["", "mac-1"]["spec"]
            assert spec["agentChecksum"] == hashlib.sha256(content).hexdigest()
        # One of another package would keep the Mac from the one that is wanted.
        package.unlink()
        await shim.body("PUT", "/api/v1/node/update")
        spec = shim.api.objects["ankanodes"]["", "mac-1"]["spec"]
        assert spec == {"groups": ["ios"], "agentVersion": "1.2.3"}
