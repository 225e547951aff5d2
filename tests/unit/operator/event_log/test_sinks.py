"""What a sink sends, and what it takes for a refusal."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from anka_operator.event_log import sinks
from anka_operator.event_log.derive import instance_records
from anka_operator.event_log.record import to_cloud_event, to_json
from anka_operator.event_log.sinks import EndpointSink, RecordRefused, RegistrySink, SinkError
from anka_registry.client import RegistryClient
from anka_runtime.header_lines import parse_headers
from anka_runtime.secret_file import SecretFile
from support.manual_clock import ManualClock
from support.objects import START, instance

RECORDS = instance_records(instance(), str, START, gone=True)
Answer = Callable[[web.Request], web.StreamResponse]


@asynccontextmanager
async def served(answer: Answer) -> AsyncIterator[tuple[str, list[tuple[web.Request, str]]]]:
    """The URL, and the requests with their bodies."""
    seen: list[tuple[web.Request, str]] = []

    async def handle(request: web.Request) -> web.StreamResponse:
        seen.append((request, await request.text()))
        return answer(request)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handle)
    async with TestServer(app) as server:
        yield str(server.make_url("/secret-path")), seen


def endpoint(url: str, encode: Any = to_json, **options: Any) -> EndpointSink:
    return EndpointSink(url, "operator-1", encode, "application/json", **options)


async def test_each_record_is_one_post_with_our_headers(tmp_path: Path) -> None:
    clock, file = ManualClock(), tmp_path / "headers"
    file.write_text("Authorization: Bearer one\nX-Team: ci\n")
    headers = SecretFile(file, clock, shortest=1, check=parse_headers)
    async with served(lambda _: web.Response(text="thanks")) as (url, seen), endpoint(url, headers=headers) as sink:
        await sink.send(RECORDS)
        assert [json.loads(body)["name"] for _, body in seen] == [record.name for record in RECORDS]
        (first, _), *_ = seen
        assert (first.method, first.path, first.content_type) == ("POST", "/secret-path", "application/json")
        assert (first.headers["Authorization"], first.headers["X-Team"]) == ("Bearer one", "ci")
        file.write_text("Authorization: Bearer two\n")
        clock.advance(10)
        await sink.send(RECORDS[:1])
        assert seen[-1][0].headers["Authorization"] == "Bearer two"


async def test_cloud_events() -> None:
    async with served(lambda _: web.Response(status=202)) as (url, seen), endpoint(url, to_cloud_event) as sink:
        await sink.send(RECORDS[:1])
    assert json.loads(seen[0][1])["specversion"] == "1.0"


@pytest.mark.parametrize("code", [301, 302, 307, 400, 401, 403, 404, 413, 422, 429, 500, 503])
async def test_all_but_2xx_is_not_taken(code: int) -> None:
    def answer(request: web.Request) -> web.Response:
        return web.Response(status=code, headers={"Location": "/elsewhere"} if code < 400 else {})

    async with served(answer) as (url, seen), endpoint(url) as sink:
        with pytest.raises(SinkError, match=f"answers HTTP {code}$") as refused:
            await sink.send(RECORDS)
        assert len(seen) == 1, "what follows waits for it"
        assert isinstance(refused.value, RecordRefused) == (code in (400, 413, 422)), "the others may pass"
        assert "secret-path" not in str(refused.value)


async def test_a_long_answer_is_not_read_and_is_no_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sinks, "ANSWER_BYTES", 100)
    async with served(lambda _: web.Response(text="x" * 100_000)) as (url, seen), endpoint(url) as sink:
        await sink.send(RECORDS[:2])
        assert len(seen) == 2


async def test_nobody_there_is_one_line() -> None:
    async with endpoint("http://127.0.0.1:9/secret-path") as sink:
        with pytest.raises(SinkError, match=r"^http://127.0.0.1:9 does not answer: [^\n]+$"):
            await sink.send(RECORDS)


async def test_silence_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sinks, "TIMEOUT", aiohttp.ClientTimeout(total=0.05))

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async with await asyncio.start_server(hang, "127.0.0.1", 0) as server:
        host, port = server.sockets[0].getsockname()
        async with endpoint(f"http://{host}:{port}/") as sink:
            with pytest.raises(SinkError, match="does not answer"):
                await sink.send(RECORDS)


async def test_the_registry_gets_lines_of_one_log() -> None:
    taken: list[dict[str, Any]] = []

    async def log(request: web.Request) -> web.Response:
        taken.append(await request.json())
        return web.json_response({"status": "OK" if len(taken) == 1 else "FAIL", "message": "full"})

    app = web.Application()
    app.router.add_post("/log", log)
    async with TestServer(app) as server, RegistryClient(str(server.make_url(""))) as client:
        sink = RegistrySink(client, "operator-1")
        await sink.send(RECORDS)
        assert (taken[0]["service"], taken[0]["machine_name"]) == ("event", "event")
        lines = [json.loads(line)["name"] for line in taken[0]["content"].splitlines()]
        assert lines == [record.name for record in RECORDS]
        with pytest.raises(SinkError, match="full"):
            await sink.send(RECORDS)
