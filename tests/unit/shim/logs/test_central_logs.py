"""Logs that are followed, and archives: live, bounded, and let go of when the client or the process goes."""

from __future__ import annotations

import asyncio
import io
import tarfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from anka_registry.client import RegistryClient
from anka_registry.models import RegistryLog
from anka_shim.failure import Failure
from anka_shim.logs import central_logs
from anka_shim.logs.central_logs import MAX_STREAMS, CentralLogs
from anka_sim.registry.server import serving
from support.shim_rig import Rig, listening, rig

ROW = {"service": "anka_agent", "machine_name": "mac-1", "size": 6, "modified": 0}
LOG = RegistryLog.model_validate(ROW)
STREAM = "/logs/stream?node_id=mac-1"
ARCHIVE = "/logs/archive?node_id=mac-1"


@asynccontextmanager
async def followed(directory: Path) -> AsyncIterator[tuple[Rig, RegistryClient, httpx.AsyncClient]]:
    """A shim with a simulated registry, and a client that gets answers as they arrive."""
    async with (
        serving(directory) as url,
        RegistryClient(url) as registry,
        rig(registry_url=url) as shim,
        listening(shim.edge) as (host, port),
        httpx.AsyncClient(base_url=f"http://{host}:{port}", timeout=30) as client,
    ):
        await registry.log("anka_agent", "mac-1", "", "one\ntwo\n")
        yield shim, registry, client


async def read(lines: AsyncIterator[str], count: int) -> list[str]:
    return [await anext(lines) for _ in range(count)]


async def test_lines_arrive_as_they_are_logged(tmp_path: Path) -> None:
    async with followed(tmp_path) as (_, registry, client), client.stream("GET", STREAM) as answer:
        assert (answer.status_code, answer.headers["content-type"]) == (200, "text/plain; charset=utf-8")
        assert answer.headers["x-accel-buffering"] == "no"
        lines = answer.aiter_lines()
        assert await read(lines, 2) == ["one", "two"]
        for text in ("three", "four"):
            await registry.log("anka_agent", "mac-1", "", f"{text}\n")
            assert await read(lines, 1) == [text]


async def test_the_end_of_what_is_there_comes_first(tmp_path: Path) -> None:
    async with followed(tmp_path) as (_, _, client), client.stream("GET", f"{STREAM}&last_bytes=5") as answer:
        assert await read(answer.aiter_lines(), 1) == ["two"]


async def test_a_process_that_stops_ends_them(tmp_path: Path) -> None:
    async with followed(tmp_path) as (shim, _, client), client.stream("GET", STREAM) as answer:
        lines = answer.aiter_lines()
        await read(lines, 2)
        shim.services.logs.end_streams()
        assert [line async for line in lines] == []
    assert shim.services.logs._streams == 0


async def test_an_hour_is_the_longest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(central_logs, "STREAM_SECONDS", 0.2)
    async with followed(tmp_path) as (_, _, client):
        assert (await client.get(STREAM)).text in ("one\ntwo\n", "")


async def test_head_holds_nothing(tmp_path: Path) -> None:
    async with followed(tmp_path) as (shim, _, client):
        assert (await client.head(STREAM)).status_code == 200
        assert await shim.body("GET", "/api/v1/logs")
        shim.services.logs.end_streams()
    assert shim.services.logs._streams == 0


class EndlessRegistry:
    """Hands out as much as is asked for, and counts it."""

    def __init__(self) -> None:
        self.chunks = 0

    @asynccontextmanager
    async def log_stream(self, service: str, machine: str, *, last_bytes: int) -> AsyncIterator[AsyncIterator[bytes]]:
        yield self._endless()

    async def _endless(self) -> AsyncIterator[bytes]:
        while True:
            self.chunks += 1
            yield b"x" * 1000


async def test_nothing_is_read_before_the_client_has_taken_the_last() -> None:
    registry = EndlessRegistry()
    logs = CentralLogs(cast(Any, registry), "anka-ci")
    async with logs.live(LOG, 10) as chunks:
        for number in range(1, 4):
            await anext(chunks)
            await asyncio.sleep(0)
            assert registry.chunks == number


async def test_there_may_be_so_many() -> None:
    logs = CentralLogs(cast(Any, EndlessRegistry()), "anka-ci")
    streams = [logs.live(LOG, 10) for _ in range(MAX_STREAMS)]
    for stream in streams:
        await stream.__aenter__()
    with pytest.raises(Failure, match="32 logs are being followed: end one of them") as refused:
        await logs.live(LOG, 10).__aenter__()
    assert (refused.value.code, refused.value.retry_after) == (503, 30)
    await streams[0].__aexit__(None, None, None)
    async with logs.live(LOG, 10) as chunks:
        assert await anext(chunks)
    for stream in streams[1:]:
        await stream.__aexit__(None, None, None)
    assert logs._streams == 0


async def test_an_archive(tmp_path: Path) -> None:
    async with followed(tmp_path) as (_, _, client):
        answer = await client.get(ARCHIVE)
        assert answer.headers["content-type"] == "application/gzip"
        assert answer.headers["content-disposition"] == 'attachment; filename="anka_agent-mac-1.tar.gz"'
        with tarfile.open(fileobj=io.BytesIO(answer.content), mode="r:gz") as archive:
            [member] = archive.getmembers()
            assert member.name == "anka_agent/mac-1.log"
            content = archive.extractfile(member)
            assert content is not None
            assert content.read() == b"one\ntwo\n"


@pytest.mark.parametrize("path", [STREAM, ARCHIVE])
async def test_what_there_is_not(path: str, tmp_path: Path) -> None:
    async with followed(tmp_path) as (_, _, client):
        answer = await client.get(path.replace("mac-1", "mac-2"))
        assert (answer.status_code, answer.json()["message"]) == (404, "no such log: see /api/v1/logs")


async def listed(_: web.Request) -> web.Response:
    return web.json_response({"status": "OK", "message": "", "body": [ROW]})


async def cut_off(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    response.content_type = "application/gzip"
    response.content_length = 1000
    await response.prepare(request)
    await response.write(b"half")
    assert request.transport is not None
    request.transport.close()
    return response


async def test_an_archive_that_is_cut_off_is_no_whole_one() -> None:
    app = web.Application()
    app.router.add_get("/log", listed)
    app.router.add_get("/log/archive", cut_off)
    async with TestServer(app) as server, rig(registry_url=str(server.make_url(""))) as shim:
        assert (await shim.http.get(ARCHIVE)).content == b"half"


async def test_a_registry_that_hands_out_no_streams() -> None:
    app = web.Application()
    app.router.add_get("/log", listed)
    async with TestServer(app) as server, rig(registry_url=str(server.make_url(""))) as shim:
        for path in (STREAM, ARCHIVE):
            answer = await shim.http.get(path)
            assert (answer.status_code, answer.json()["status"]) == (502, "FAIL")
            assert "HTTP 404" in answer.json()["message"]
    assert shim.services.logs._streams == 0
