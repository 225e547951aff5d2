"""Join tokens over a scripted API."""

from __future__ import annotations

from pathlib import Path

from anka_shim.portal.join.commands import describe_off
from support.scripted_api import Fault
from support.shim_rig import Rig, rig

PATH = "/portal/v1/join"
URL = "https://api.example:6443"


async def ask(shim: Rig, **body: object) -> str:
    return await shim.message("POST", PATH, json={"name": "mac-9", **body})


async def test_off_unless_it_knows_the_url() -> None:
    async with rig() as shim:
        assert await ask(shim) == describe_off("anka-joining")
        assert not shim.api.count("create")


async def test_nobody_takes_over_a_node_or_another_token() -> None:
    async with rig(join_server_url=URL) as shim:
        assert (await ask(shim, name="mac-1")).startswith("name: there is a node mac-1 already")
        shim.api.put("serviceaccounts", "batch", "anka-joining")
        assert "is not the portal's" in await ask(shim, name="batch")
        assert [seen.path for seen in shim.api.seen if seen.path.endswith("/token")] == []


async def test_what_the_api_refuses() -> None:
    async with rig(join_server_url=URL) as shim:
        shim.api.fail("create", Fault(403, reason="Forbidden"))
        assert (await ask(shim)).startswith("the shim may not make join tokens in namespace anka-joining")


async def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    async with rig(join_server_url=URL, join_ca_file=tmp_path / "nope") as shim:
        assert "nope can't be read: No such file" in await ask(shim)
        assert not shim.api.count("create")
