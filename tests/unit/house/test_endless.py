"""Every reader of answers from outside, against servers that never stop sending, or send elsewhere.

A new reader belongs into READERS; that none makes a session of its own, a test below checks."""

from __future__ import annotations

import ast
import asyncio
import contextlib
import gzip
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from anka_agent.update import package
from anka_agent.update.package import PackageError, fetch
from anka_crds.resources import INSTANCES
from anka_dev.repository import ROOT
from anka_kube import connection as kube
from anka_kube.client import KubeClient
from anka_kube.endpoint import Endpoint
from anka_kube.errors import ApiError
from anka_registry.client import RegistryClient
from anka_registry.errors import RegistryError
from anka_runtime import session
from anka_shim.replicas.client import PeerClient
from anka_shim.replicas.peer import PeerError

MOST = 1 << 20
SLACK = 16 << 20
"""What the buffers of both sides may hold beside the limit."""
BOMB = gzip.compress(b'{"status": "OK", "body": "' + b"x" * (16 << 20))
"""A text of 16 MiB in 16 KiB."""
TOO_LONG = r"^[^\n]*(longer|larger) than [^\n]+$"
Reader = Callable[[str, Path], Awaitable[object]]


def registry(ask: Callable[[RegistryClient], Awaitable[object]]) -> Reader:
    async def read(url: str, _: Path) -> object:
        async with RegistryClient(url) as client:
            return await ask(client)

    return read


def api(ask: Callable[[KubeClient], Awaitable[object]]) -> Reader:
    async def read(url: str, _: Path) -> object:
        async with KubeClient(Endpoint(url)) as client:
            return await ask(client)

    return read


async def read_log(client: RegistryClient) -> None:
    async with client.log_content("s", "m", last_bytes=1000) as chunks:
        async for _ in chunks:
            pass


async def ask_peer(url: str, _: Path) -> object:
    host, port = url.removeprefix("http://").split(":")
    async with PeerClient(1.0) as client:
        return await client.identify((host, int(port)), "me")


async def fetch_package(url: str, folder: Path) -> None:
    await fetch(f"{url}/p.tar.gz", "0" * 64, folder / "p")


async def fetch_checksum(url: str, folder: Path) -> None:
    await fetch(f"{url}/p.tar.gz", None, folder / "p")


READERS: dict[str, tuple[Reader, type[Exception]]] = {
    "registry status": (registry(lambda client: client.status()), RegistryError),
    "registry list": (registry(lambda client: client.templates()), RegistryError),
    "registry template": (registry(lambda client: client.template("t")), RegistryError),
    "registry configuration": (registry(lambda client: client.info("t")), RegistryError),
    "registry disk": (registry(lambda client: client.disk()), RegistryError),
    "registry deletion": (registry(lambda client: client.delete("t")), RegistryError),
    "registry revert": (registry(lambda client: client.revert("t")), RegistryError),
    "registry takes a log": (registry(lambda client: client.log("s", "m", "h", "line")), RegistryError),
    "registry logs": (registry(lambda client: client.logs()), RegistryError),
    "registry log": (registry(read_log), RegistryError),
    "peer": (ask_peer, PeerError),
    "API object": (api(lambda client: client.get(INSTANCES, "a", "b")), ApiError),
    "API list": (api(lambda client: client.list(INSTANCES)), ApiError),
    "API write": (api(lambda client: client.patch(INSTANCES, "a", {}, "b")), ApiError),
    "package": (fetch_package, PackageError),
    "checksum": (fetch_checksum, PackageError),
}


@pytest.fixture(autouse=True)
def small_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "ANSWER_BYTES", MOST)
    monkeypatch.setattr(kube, "ANSWER_BYTES", MOST)
    monkeypatch.setattr(package, "MAX_BYTES", MOST)
    monkeypatch.setattr(package, "TRY_AGAIN_SECONDS", 0.0)


class EndlessServer:
    """Sends a JSON text that never ends."""

    def __init__(self) -> None:
        self.sent = 0
        self.most = MOST + SLACK

    async def answer(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        chunk = b'{"status": "OK", "body": "'
        with contextlib.suppress(ConnectionError):
            while self.sent < self.most:
                self.sent += len(chunk)
                await response.write(chunk)
                chunk = b"x" * 65536
        return response


async def answer_with_bomb(_: web.Request) -> web.Response:
    return web.Response(body=BOMB, headers={"Content-Type": "application/json", "Content-Encoding": "gzip"})


@asynccontextmanager
async def serving(answer: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    async with TestServer(app, host="127.0.0.1") as server:
        yield f"http://127.0.0.1:{server.port}"


@pytest.mark.parametrize("name", READERS)
async def test_an_answer_without_end_is_refused(name: str, tmp_path: Path) -> None:
    read, refusal = READERS[name]
    endless = EndlessServer()
    async with serving(endless.answer) as url:
        with pytest.raises(refusal, match=TOO_LONG):
            await asyncio.wait_for(read(url, tmp_path), 30)
    assert endless.sent < endless.most, "it reads on for ever"


@pytest.mark.parametrize("name", READERS)
async def test_an_answer_that_grows_when_it_is_unpacked_is_refused(name: str, tmp_path: Path) -> None:
    read, refusal = READERS[name]
    async with serving(answer_with_bomb) as url:
        with pytest.raises(refusal, match=TOO_LONG):
            await asyncio.wait_for(read(url, tmp_path), 30)


@pytest.mark.parametrize("name", READERS)
async def test_a_redirect_elsewhere_is_not_followed(name: str, tmp_path: Path) -> None:
    read, refusal = READERS[name]
    asked: list[str] = []

    async def elsewhere(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.json_response({"status": "OK", "body": None, "id": "other"})

    async with serving(elsewhere) as other:

        async def redirect(request: web.Request) -> web.Response:
            return web.Response(status=307, headers={"Location": f"{other}{request.path_qs}"})

        async with serving(redirect) as url:
            with pytest.raises(refusal):
                await asyncio.wait_for(read(url, tmp_path), 30)
    assert asked == []


async def test_a_redirect_within_the_origin_is_followed() -> None:
    async def answer(request: web.Request) -> web.Response:
        if request.path != "/moved":
            return web.Response(status=302, headers={"Location": "/moved"})
        return web.json_response({"status": "OK", "body": {"status": "Running", "version": "1"}})

    async with serving(answer) as url, RegistryClient(url) as client:
        assert (await client.status()).version == "1"


async def test_a_packed_answer_within_the_limit_is_read() -> None:
    async def answer(_: web.Request) -> web.Response:
        body = gzip.compress(b'{"status": "OK", "body": {"status": "Running", "version": "2"}}')
        return web.Response(body=body, headers={"Content-Encoding": "gzip"})

    async with serving(answer) as url, RegistryClient(url) as client:
        assert (await client.status()).version == "2"


def test_no_reader_has_a_session_of_its_own() -> None:
    """`urlopen` of the doctor reads headers only."""
    found = set()
    for folder in ("lib", "agent", "operator", "api-shim", "crds"):
        for file in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text())):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute | ast.Name):
                    name = node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id
                    if name in ("ClientSession", "urlopen", "AsyncClient"):
                        found.add(str(file.relative_to(ROOT)))
    assert found == {"lib/anka_runtime/session.py", "agent/anka_agent/doctor/cloud.py"}
