"""What every request shares: errors, retries, credentials, and what an answer says of the time."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from anka_kube.api_clock import ApiClock
from anka_kube.client import KubeClient
from anka_kube.credentials import TokenFile
from anka_kube.endpoint import Endpoint
from anka_kube.errors import (
    ApiError,
    Forbidden,
    ServerError,
    TooManyRequests,
    Unauthorized,
    Unreachable,
)
from anka_kube.unstructured import Meta, Unstructured, raw_resource
from support.manual_clock import ManualClock
from support.scripted_api import Fault, ScriptedApi

THINGS = raw_resource("example.com", "v1", "things", "Thing", namespaced=True)
NEW = Unstructured(Meta("a", "ns"), {"metadata": {"name": "a", "namespace": "ns"}, "spec": {"size": 1}})


async def test_redirects_are_not_followed(api: ScriptedApi, client: KubeClient) -> None:
    api.fail("get", Fault(302, "elsewhere"))
    with pytest.raises(ApiError, match="302"):
        await client.get(THINGS, "a", "ns")


async def test_a_refusal_that_comes_in_pieces_is_read_whole() -> None:
    body = b'{"kind": "Status", "code": 403, "reason": "Forbidden", "message": "policy says no"}'

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: %d\r\n\r\n" % len(body) + body[:20])
        await writer.drain()
        # Nothing tells that the other side has read the first piece: it has a moment for it.
        await asyncio.sleep(0.05)
        writer.write(body[20:])
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server, KubeClient(Endpoint(url)) as client:
        with pytest.raises(Forbidden) as refused:
            await client.get(THINGS, "a", "ns")
    assert refused.value.message == "policy says no"


class TestRetries:
    async def test_reads_go_on_until_the_deadline(
        self, api: ScriptedApi, client: KubeClient, clock: ManualClock
    ) -> None:
        api.fail("get", Fault(500), times=1000)
        with pytest.raises(ServerError):
            await client.get(THINGS, "a", "ns", deadline=30)
        assert 20 < sum(clock.naps) < 30
        assert api.count("get") == len(clock.naps) + 1

    async def test_reads_recover(self, api: ScriptedApi, client: KubeClient, clock: ManualClock) -> None:
        api.put("things", "a", "ns")
        for status in (500, 503, 429):
            api.fail("get", Fault(status))
        assert (await client.get(THINGS, "a", "ns")).metadata.name == "a"
        assert len(clock.naps) == 3

    async def test_retry_after_is_honoured(self, api: ScriptedApi, client: KubeClient, clock: ManualClock) -> None:
        api.fail("create", Fault(429, retry_after=7))
        await client.create(THINGS, NEW)
        assert len(clock.naps) == 1
        assert clock.naps[0] >= 7

    async def test_a_retry_after_beyond_the_deadline_is_not_waited_for(
        self, api: ScriptedApi, client: KubeClient, clock: ManualClock
    ) -> None:
        api.fail("create", Fault(429, retry_after=60))
        with pytest.raises(TooManyRequests) as caught:
            await client.create(THINGS, NEW, deadline=10)
        assert caught.value.retry_after == 60
        assert clock.naps == []

    @pytest.mark.parametrize("fault", [Fault(500), Fault(503), Fault(504), Fault(200, drop=True)])
    async def test_writes_that_may_have_happened_are_not_repeated(
        self, api: ScriptedApi, client: KubeClient, fault: Fault
    ) -> None:
        api.fail("create", fault)
        with pytest.raises((ServerError, Unreachable)) as caught:
            await client.create(THINGS, NEW)
        assert not caught.value.surely_not_applied
        assert api.count("create") == 1

    async def test_a_write_that_surely_did_nothing_is_repeated(self, api: ScriptedApi, client: KubeClient) -> None:
        api.fail("create", Fault(503, retry_after=1), times=2)
        await client.create(THINGS, NEW)
        assert api.count("create") == 3

    async def test_refused_connections_are_repeated_and_then_told_in_one_line(self, clock: ManualClock) -> None:
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            url = f"http://127.0.0.1:{unused.getsockname()[1]}"
            async with KubeClient(Endpoint(url), ApiClock(clock), sleep=clock.sleep) as client:
                with pytest.raises(Unreachable, match=r"^create /apis/.*: Unreachable: Cannot connect") as caught:
                    await client.create(THINGS, NEW, deadline=3)
        assert caught.value.surely_not_applied
        assert clock.naps

    async def test_an_answer_that_never_comes_ends_at_the_deadline(self, client: KubeClient) -> None:
        over = asyncio.Event()

        async def hold(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await over.wait()
            writer.close()

        silent = await asyncio.start_server(hold, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{silent.sockets[0].getsockname()[1]}"
        async with silent, KubeClient(Endpoint(url)) as patient:
            with pytest.raises(Unreachable, match="no answer in time"):
                await patient.patch(THINGS, "a", {}, "ns", deadline=0.1)
            over.set()


class TestCredentials:
    async def test_a_rotated_token_is_read_again_at_once_after_401(
        self, api: ScriptedApi, clock: ManualClock, tmp_path: Path
    ) -> None:
        file = tmp_path / "token"
        file.write_text("old\n")
        api.token = "old"
        api.put("things", "a", "ns")
        endpoint = Endpoint(api.url, TokenFile(file, clock))
        async with KubeClient(endpoint, ApiClock(clock), sleep=clock.sleep) as client:
            await client.get(THINGS, "a", "ns")
            api.token = "new"
            file.write_text("new")
            await client.patch(THINGS, "a", {"spec": {}}, "ns")
        assert [seen.authorization for seen in api.seen] == ["Bearer old", "Bearer old", "Bearer new"]
        assert clock.naps == []

    async def test_wrong_credentials_are_told_not_hammered(self, api: ScriptedApi, client: KubeClient) -> None:
        api.token = "secret"
        with pytest.raises(Unauthorized):
            await client.get(THINGS, "a", "ns")
        assert len(api.seen) == 2


async def test_outside_of_its_context_it_says_so() -> None:
    with pytest.raises(RuntimeError, match="context manager"):
        await KubeClient(Endpoint("http://127.0.0.1:1")).get(THINGS, "a", "ns")


@pytest.mark.parametrize("fault", [None, Fault(404), Fault(200, body=b"<html>")])
async def test_every_answer_tells_the_time_of_the_api(api: ScriptedApi, fault: Fault | None) -> None:
    api.put("things", "a", "ns")
    if fault is not None:
        api.fail("get", fault)
    clock = ApiClock(ManualClock(datetime(2000, 1, 1, tzinfo=UTC)))
    async with KubeClient(Endpoint(api.url), clock) as client:
        with contextlib.nullcontext() if fault is None else pytest.raises(ApiError):
            await client.get(THINGS, "a", "ns")
    assert abs(clock.now() - datetime.now(UTC)) < timedelta(seconds=60)


@contextlib.asynccontextmanager
async def serve_stream() -> AsyncIterator[tuple[str, asyncio.Future[asyncio.StreamWriter]]]:
    """A server whose first answer to a watch is an open stream with `one`; any other answer is an object."""
    stream: asyncio.Future[asyncio.StreamWriter] = asyncio.get_running_loop().create_future()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        if b"watch=1" in head:
            writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + in_chunk(b"one\n"))
            stream.set_result(writer)
        else:
            body = b'{"metadata": {"name": "a"}}'
            writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", stream
        (await stream).close()


def in_chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


async def test_what_comes_while_a_stream_gathers_is_not_read_and_comes_together(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    naps: list[float] = []
    fed: list[bytes] = []
    feed_data = aiohttp.StreamReader.feed_data

    def feed(reader: aiohttp.StreamReader, data: bytes, *rest: Any) -> Any:
        fed.append(bytes(data))
        return feed_data(reader, data, *rest)

    monkeypatch.setattr(aiohttp.StreamReader, "feed_data", feed)
    async with serve_stream() as (url, stream):

        async def sleep(seconds: float) -> None:
            naps.append(seconds)
            if len(naps) > 1:
                return
            fed.clear()
            for text in (b"two\n", b"three\n"):
                (await stream).write(in_chunk(text))
                # By its answer, whatever else had come would have been read as well.
                await client.get(THINGS, "a", "ns")
            assert [data for data in fed if data.endswith(b"\n")] == [], "the process is woken for nothing"
            (await stream).write(b"0\r\n\r\n")

        async with (
            KubeClient(Endpoint(url), sleep=sleep) as client,
            client.watch(THINGS, resource_version="1", gather_seconds=0.1) as chunks,
        ):
            assert [chunk async for chunk in chunks] == [b"one\n", b"two\nthree\n"]
    assert naps[0] == 0.1


async def test_a_stream_that_is_cut_while_it_gathers_is_an_error_as_ever() -> None:
    async with serve_stream() as (url, stream):

        async def sleep(seconds: float) -> None:
            (await stream).transport.abort()

        async with (
            KubeClient(Endpoint(url), sleep=sleep) as client,
            client.watch(THINGS, resource_version="1", gather_seconds=0.1) as chunks,
        ):
            with pytest.raises(Unreachable):
                [chunk async for chunk in chunks]
