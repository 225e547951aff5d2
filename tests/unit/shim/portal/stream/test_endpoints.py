"""Who may open a stream, and what ends it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus

from anka_shim.portal.stream import tab as tabs
from support import shim_rig
from support.api_keys import ROOT, TOKEN, add_key, login, with_keys
from support.portal_tab import portal_tab
from support.shim_rig import Rig


async def refusal(address: tuple[str, int], **options: Any) -> int:
    with pytest.raises(InvalidStatus) as refused:
        async with portal_tab(address, **options):
            pass
    return refused.value.response.status_code


async def give(shim: Rig, *rights: str) -> None:
    """To the group of the API key."""
    stores = shim.services.stores
    spec = {"displayName": "g", "controllerPermissions": list(rights)}
    shim.api.put("permissiongroups", "g", "", spec=spec, metadata=shim_rig.TIMES)

    def is_seen(_: object) -> bool:
        group = stores.permission_group("g")
        return group is not None and sorted(group.spec.controller_permissions) == sorted(rights)

    await stores.permission_groups.wait_for(is_seen, 60)


async def test_only_who_has_logged_in(tmp_path: Path) -> None:
    async with with_keys(tmp_path) as shim, shim_rig.listening(shim.edge) as address:
        assert await refusal(address) == 401
        assert await refusal(address, headers={"Authorization": "Bearer wrong"}) == 401
        async with portal_tab(address, headers=ROOT) as tab:
            await tab.open("nodes", "apiKeys")
            hello = await tab.read()
            assert hello["session"]["login"] == "root"
            await tab.until_type("ping")
            assert set(tab.lists["nodes"]) == {"mac-1"}


async def test_rights_that_change_while_it_lasts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tabs, "RECHECK_SECONDS", 0.05)
    async with with_keys(tmp_path, enable_authorization=True) as shim, shim_rig.listening(shim.edge) as address:
        await add_key(shim)
        await give(shim, "list_nodes")
        async with portal_tab(address, headers=await login(shim.http)) as tab:
            await tab.open("nodes", "groups", "templates")
            hello = await tab.read()
            assert hello["kinds"] == ["nodes"]
            assert hello["denied"] == {"groups": "get_groups", "templates": "registry_list"}
            await give(shim, "list_nodes", "get_groups")
            hello = await tab.until_type("hello")
            assert hello["kinds"] == ["nodes", "groups"]
            await tab.until_type("ping")
            assert set(tab.lists["groups"]) == {"ios"}
            await give(shim)
            hello = await tab.until_type("hello")
            assert hello["kinds"] == []
            assert hello["session"]["rights"] == []
            answer = await shim.http.request("DELETE", "/api/v1/apikey", json={"id": "ci"}, headers=ROOT)
            assert answer.json()["status"] == "OK"
            end = await tab.until_end()
            assert (end["reason"], end["message"]) == ("session", "Authentication Required")


async def test_another_root_token_ends_the_streams_of_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tabs, "RECHECK_SECONDS", 0.05)
    async with with_keys(tmp_path) as shim, shim_rig.listening(shim.edge) as address:
        page = {"X-Anka-Portal": "1", "Origin": "https://shim"}
        answer = await shim.http.post("/portal/v1/login", headers={**page, **ROOT})
        cookie = {"Cookie": answer.headers["set-cookie"].partition(";")[0]}
        assert await refusal(address, headers={**cookie, "Origin": "https://evil.example.com"}) == 403
        async with portal_tab(address, headers={**cookie, "Origin": f"http://{address[0]}:{address[1]}"}) as tab:
            await tab.open("nodes")
            await tab.until_type("ping")
            (tmp_path / "root-token").write_text(TOKEN + " is another one now")
            shim.clock.advance(60)
            assert (await tab.until_end())["reason"] == "session"


async def test_names_by_which_it_is_reached(tmp_path: Path) -> None:
    async with (
        with_keys(tmp_path, allowed_hosts="anka.example.com") as shim,
        shim_rig.listening(shim.edge) as address,
    ):
        reader, writer = await asyncio.open_connection(*address)
        writer.write(
            b"GET /portal/v1/stream HTTP/1.1\r\nHost: evil.example.com\r\nConnection: Upgrade\r\n"
            b"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
        )
        assert (await asyncio.wait_for(reader.readline(), 60)).startswith(b"HTTP/1.1 403 ")
        writer.close()


async def test_the_rate_limit_counts_it(tmp_path: Path) -> None:
    async with with_keys(tmp_path, rate_limit="1/hour") as shim, shim_rig.listening(shim.edge) as address:
        async with portal_tab(address, headers=ROOT) as tab:
            await tab.open("nodes")
            await tab.until_type("ping")
        assert await refusal(address, headers=ROOT) == 429
