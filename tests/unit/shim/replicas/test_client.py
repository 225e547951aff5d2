"""One replica asks another: what its answers and its silence mean."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from anka_runtime.tls_files import make_server_context
from anka_shim.replicas.client import ANY_VERSION, PATH, PeerClient
from anka_shim.replicas.peer import PeerError
from support.client_authority import ClientAuthority

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


async def ask(handler: Handler, *, seconds: float = 5.0) -> tuple[str, int]:
    """The id and the version that a replica with this answer gives."""
    app = web.Application()
    app.router.add_get(PATH, handler)
    async with TestServer(app) as server, PeerClient(seconds) as client:
        address = (str(server.host), int(server.port or 0))
        return await client.identify(address, "me"), await client.read_version(address, "me", "ankainstances", 7)


def answer(**body: object) -> Handler:
    async def handle(request: web.Request) -> web.Response:
        assert request.query["from"] == "me"
        return web.json_response(body)

    return handle


async def test_replicas_with_tls_are_asked_by_https(tmp_path: Path) -> None:
    """Whatever their certificate is for: what they sign proves who they are."""
    app = web.Application()
    app.router.add_get(PATH, answer(id="two"))
    file = ClientAuthority().issue_server().write(tmp_path, "server.pem")
    server = TestServer(app, scheme="https")
    await server.start_server(ssl=make_server_context(None, file, None))
    async with PeerClient(5.0, tls=True) as client:
        assert await client.identify((str(server.host), int(server.port or 0)), "me") == "two"
    await server.close()


@pytest.mark.parametrize(("seen", "version"), [("12", 12), ("", ANY_VERSION), (None, -1), ("x", -1), (12, -1)], ids=str)
async def test_the_version_that_its_watch_has_reached(seen: object, version: int) -> None:
    assert await ask(answer(id="two", seen=seen)) == ("two", version)


async def refuse(_: web.Request) -> web.Response:
    return web.Response(status=503)


async def html(_: web.Request) -> web.Response:
    return web.Response(text="<html>")


async def hang(_: web.Request) -> web.Response:
    await asyncio.Event().wait()
    raise AssertionError


@pytest.mark.parametrize(
    ("handler", "message"),
    [
        (refuse, "it answers HTTP 503"),
        (html, "not as a replica of this shim"),
        (answer(name="two"), "not as a replica of this shim"),
    ],
    ids=["HTTP 503", "HTML", "no id"],
)
async def test_anything_else_is_no_replica(handler: Handler, message: str) -> None:
    with pytest.raises(PeerError, match=message):
        await ask(handler)


async def test_silence_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("anka_shim.replicas.client.IDENTIFY_SECONDS", 0.05)
    with pytest.raises(PeerError, match=r"no answer within 0\.05 s"):
        await ask(hang)


async def test_nothing_listens_and_a_client_that_is_closed() -> None:
    async with PeerClient(1.0) as client:
        with pytest.raises(PeerError, match="no answer: "):
            await client.identify(("127.0.0.1", 1), "me")
    with pytest.raises(PeerError, match="this replica is ending"):
        await client.identify(("127.0.0.1", 1), "me")
