"""Whole streams, over real sockets, of a shim over a scripted Kubernetes API."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from anka_shim.portal.stream import tab as tabs
from support import shim_rig
from support.portal_tab import portal_tab
from support.shim_rig import TEMPLATE, Rig, rig
from support.template_mac import until


@contextlib.asynccontextmanager
async def serving(**settings: Any) -> AsyncIterator[tuple[Rig, tuple[str, int]]]:
    async with rig(**settings) as shim, shim_rig.listening(shim.edge) as address:
        yield shim, address


async def test_lists_and_their_changes() -> None:
    async with serving() as (shim, address), portal_tab(address) as tab:
        await tab.open("cloud", "nodes", "instances", "templates", "groups")
        hello = await tab.read()
        assert hello["type"] == "hello"
        assert hello["kinds"] == ["cloud", "nodes", "instances", "templates", "groups"]
        assert hello["denied"] == {}
        assert hello["session"]["login"] == "none"
        assert hello["session"]["rights"] is None
        await tab.until_type("ping")
        assert tab.row("nodes", "mac-1")["groups"] == ["ios"]
        assert tab.row("groups", "ios")["name"] == "iOS builds"
        assert tab.row("templates", TEMPLATE)["versions"][1]["tag"] == "v2"
        assert tab.row("cloud", "cloud")["namespace"] == "anka-ci"
        assert tab.lists["instances"] == {}
        (id_,) = (await shim.start(tag="v1"))["body"]
        await tab.until(lambda tab: id_ in tab.lists["instances"])
        row = tab.row("instances", id_)
        assert row["template"] == {"id": TEMPLATE, "name": "macos", "tag": "v1"}
        assert row["queueKey"][0] == 1000
        await shim.body("DELETE", "/api/v1/vm", json={"id": id_})
        await tab.until(lambda tab: id_ not in tab.lists["instances"] or "deleted" in tab.row("instances", id_))


async def test_it_goes_on_where_another_stream_has_ended() -> None:
    async with serving() as (shim, address):
        async with portal_tab(address) as first:
            await first.open("nodes", "instances")
            await first.until_type("ping")
        (id_,) = (await shim.start())["body"]
        async with portal_tab(address) as second:
            await second.open("nodes", "instances", since=first.versions)
            await second.until(lambda tab: id_ in tab.lists.get("instances", {}))
            assert not [message for message in second.messages if message["type"] == "snapshot"]


async def test_what_is_not_known_any_more_is_sent_whole() -> None:
    async with serving() as (_, address), portal_tab(address) as tab:
        await tab.open("nodes", "groups", since={"nodes": "0-0-0@b", "groups": "nonsense"})
        await tab.until_type("ping")
        kinds = [message["kind"] for message in tab.messages if message["type"] == "snapshot"]
        assert kinds == ["nodes", "groups"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("nonsense", "must be JSON"),
        ("[]", "must have type open"),
        ('{"type":"open"}', "kinds: must be a list of cloud"),
        ('{"type":"open","kinds":["secrets"]}', "kinds: must be a list of cloud"),
        ('{"type":"open","kinds":[{}]}', "kinds: must be a list of cloud"),
        ('{"type":"open","kinds":[]}', "kinds: must be a list of cloud"),
        ('{"type":"open","kinds":["nodes"],"since":{"nodes":1}}', "since: must be an object"),
        ('{"type":"open","kinds":["nodes"],"since":{"nodes":"' + "1" * 201 + '"}}', "since: must be an object"),
    ],
)
async def test_an_opening_that_is_not_understood(text: str, says: str) -> None:
    async with serving() as (_, address), portal_tab(address) as tab:
        await tab.socket.send(text)
        end = await tab.until_end()
        assert end["reason"] == "limit"
        assert says in end["message"]


async def test_there_is_one_message_from_a_browser() -> None:
    async with serving() as (_, address), portal_tab(address) as tab:
        await tab.open("groups")
        await tab.until_type("ping")
        await tab.open("groups")
        assert "one message only" in (await tab.until_end())["message"]


async def test_a_browser_that_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tabs, "OPENING_SECONDS", 0.05)
    async with serving() as (_, address), portal_tab(address) as tab:
        assert "did not come" in (await tab.until_end())["message"]


async def test_a_message_that_is_too_long() -> None:
    async with serving() as (_, address), portal_tab(address) as tab:
        await tab.socket.send("x" * 70_000)
        with pytest.raises(ConnectionClosed) as closed:
            await asyncio.wait_for(tab.socket.recv(), 60)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1009


@pytest.mark.parametrize("origin", ["http://evil.example.com", "null", "https://127.0.0.1:1"])
async def test_a_page_of_another_site(origin: str) -> None:
    async with serving(allow_cors="http://evil.example.com") as (_, address):
        with pytest.raises(InvalidStatus) as refused:
            async with portal_tab(address, headers={"Origin": origin}):
                pass
        assert refused.value.response.status_code == 403


async def test_our_own_page() -> None:
    async with serving() as (_, address):
        origin = f"http://{address[0]}:{address[1]}"
        async with portal_tab(address, headers={"Origin": origin}) as tab:
            await tab.open("groups")
            await tab.until_type("ping")


async def test_there_is_a_most_of_tabs() -> None:
    async with serving(portal_max_tabs=2) as (_, address), portal_tab(address) as first:
        await first.open("groups")
        await first.until_type("ping")
        async with portal_tab(address) as second:
            assert (await second.until_end())["reason"] == "limit"
    # They have left: there is room again.
    async with serving(portal_max_tabs=2) as (shim, address):
        for _ in range(5):
            async with portal_tab(address) as tab:
                await tab.open("groups")
                await tab.until_type("ping")
            await until(lambda: not shim.services.tabs.open)


async def test_the_server_stops() -> None:
    async with contextlib.AsyncExitStack() as stack:
        async with serving() as (_, address):
            tab = await stack.enter_async_context(portal_tab(address))
            await tab.open("groups")
            await tab.until_type("ping")
        assert (await tab.until_end())["reason"] == "stopping"


async def test_without_the_portal() -> None:
    async with serving(portal=False) as (_, address):
        with pytest.raises(InvalidStatus) as refused:
            async with portal_tab(address):
                pass
        assert refused.value.response.status_code == 404


async def test_no_websocket() -> None:
    async with rig() as shim:
        response = await shim.http.get("/portal/v1/stream")
        assert response.status_code == 426
        assert response.json()["message"] == "this is a WebSocket: connect to it as such"
