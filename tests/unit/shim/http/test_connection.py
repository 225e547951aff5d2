"""What uvicorn itself lets through, over real sockets."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import logging
import resource
import socket
import struct
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import uvloop

from anka_shim.http import body, connection
from anka_shim.http.connection_budget import RESERVE
from support import shim_rig
from support.shim_rig import rig


@contextlib.asynccontextmanager
async def listening(
    trusted_proxies: str = "", keep_alive_seconds: int = 30, **settings: Any
) -> AsyncIterator[tuple[str, int]]:
    async with (
        rig(**settings) as shim,
        shim_rig.listening(
            shim.edge, keep_alive_seconds=keep_alive_seconds, trusted_proxies=trusted_proxies
        ) as address,
    ):
        yield address


async def exchange(address: tuple[str, int], *parts: bytes) -> tuple[bytes, bytes]:
    """Send all parts, as far as the other side takes them; gives the answer's head and body, read to the end."""
    reader, writer = await asyncio.open_connection(*address)
    with contextlib.suppress(ConnectionError):
        for part in parts:
            writer.write(part)
            await writer.drain()
    raw = b""
    with contextlib.suppress(ConnectionError):
        raw = await asyncio.wait_for(reader.read(), 20)
    writer.close()
    head, _, rest = raw.partition(b"\r\n\r\n")
    return head, rest


REQUEST = b"GET /api/v1/status HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
TOO_LONG = {"status": "FAIL", "message": "the request's headers are longer than 65536 bytes"}


@pytest.mark.parametrize(
    "parts",
    [
        [REQUEST, b"X: " + b"a" * 70_000, b"\r\n\r\n"],
        [REQUEST, *[b"X%d: " % number + b"a" * 1000 + b"\r\n" for number in range(80)], b"\r\n"],
        [b"GET /", b"a" * 40_000, b"a" * 40_000],
        [REQUEST, b"X: ", *[b"a" * 10_000] * 10],
    ],
    ids=["one", "many", "path", "endless"],
)
async def test_headers_have_an_end(parts: list[bytes]) -> None:
    async with listening() as address:
        head, rest = await exchange(address, *parts)
        assert head.startswith(b"HTTP/1.1 431 ")
        assert json.loads(rest) == TOO_LONG


async def test_trailers_have_an_end() -> None:
    chunked = b"POST /api/v1/vm HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n"
    async with listening() as address:
        head, _ = await exchange(address, chunked, *[b"X: " + b"a" * 1000 + b"\r\n"] * 80)
        assert head.startswith(b"HTTP/1.1 431 ")


async def test_long_headers_that_are_not_too_long() -> None:
    async with listening() as address:
        head, rest = await exchange(address, REQUEST, b"Authorization: " + b"a" * 30_000 + b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 ")
        assert json.loads(rest)["status"] == "OK"


async def test_what_is_no_request_gets_an_envelope() -> None:
    async with listening() as address:
        head, rest = await exchange(address, b"\x16\x03\x01\x02\x00hello\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 400 ")
        assert json.loads(rest) == {"status": "FAIL", "message": "this is not an HTTP request"}


@pytest.mark.parametrize("parts", [[b"GET / HTTP/1.1\r\nHost:"], [REQUEST + b"\r\n"[:0], b"X: 1\r\n"]])
async def test_slow_headers_are_not_waited_for(monkeypatch: pytest.MonkeyPatch, parts: list[bytes]) -> None:
    monkeypatch.setattr(connection, "HEADER_SECONDS", 0.05)
    async with listening() as address:
        assert await exchange(address, *parts) == (b"", b"")


async def test_a_slow_body_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body, "READ_SECONDS", 0.05)
    post = b"POST /api/v1/vm HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 20\r\n\r\n{"
    async with listening() as address:
        head, rest = await exchange(address, post)
        assert head.startswith(b"HTTP/1.1 200 ")
        assert json.loads(rest)["message"] == "the request body did not arrive within 0 s"


async def test_a_chunked_body_without_a_length_has_an_end() -> None:
    post = b"POST /api/v1/vm HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
    async with listening(max_body_bytes=2000) as address:
        _, rest = await exchange(address, post, *[b"3e8\r\n" + b" " * 1000 + b"\r\n"] * 5)
        assert json.loads(rest)["message"] == "the request body is larger than 2000 bytes"


@pytest.mark.parametrize(("trusted", "refused"), [("", True), ("127.0.0.1", False), ("10.0.0.0/8", True)])
async def test_only_trusted_proxies_say_who_the_client_is(trusted: str, refused: bool) -> None:
    async with listening(trusted, rate_limit="1/hour") as address:
        heads = [
            (await exchange(address, REQUEST, b"X-Forwarded-For: 10.9.9.%d\r\n\r\n" % number))[0] for number in (1, 2)
        ]
        assert heads[0].startswith(b"HTTP/1.1 200 ")
        assert heads[1].startswith(b"HTTP/1.1 429 " if refused else b"HTTP/1.1 200 ")


@pytest.mark.parametrize("close", [b"", b"Connection: close\r\n"])
@pytest.mark.parametrize("frame", [b"Content-Length: 3000000\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n2dc6c0\r\n"])
async def test_a_client_that_is_still_sending_gets_its_answer(close: bytes, frame: bytes) -> None:
    """A connection that is closed under it would be reset, and the answer lost."""
    head = b"POST /api/v1/vm HTTP/1.1\r\nHost: x\r\n" + close + frame
    rest = [b" " * 100_000] * 30 + ([b"\r\n0\r\n\r\n"] if b"chunked" in frame else [])
    async with listening() as address:
        for _ in range(5):
            reader, writer = await asyncio.open_connection(*address)
            writer.write(head)
            for part in rest:
                writer.write(part)
                await writer.drain()
            answer = await asyncio.wait_for(reader.readuntil(b"}"), 20)
            assert json.loads(answer.partition(b"\r\n\r\n")[2])["message"].startswith("the request body is larger than")
            if close:
                assert await asyncio.wait_for(reader.read(), 20) == b""
            writer.close()


async def test_a_client_that_never_stops_sending_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "LINGER_SECONDS", 0.05)
    async with listening() as address:
        _, writer = await asyncio.open_connection(*address)
        writer.write(b"POST /api/v1/vm HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 999999999\r\n\r\n")

        async def send_forever() -> None:
            while True:
                writer.write(b" " * 100_000)
                await writer.drain()

        with pytest.raises(ConnectionError):
            await asyncio.wait_for(send_forever(), 20)


async def test_empty_lines_keep_no_connection() -> None:
    async with listening(keep_alive_seconds=1) as address:
        reader, writer = await asyncio.open_connection(*address)
        writer.write(REQUEST.replace(b"Connection: close\r\n", b"") + b"\r\n")
        assert await asyncio.wait_for(reader.readuntil(b"}}"), 20)

        async def send_empty_lines() -> None:
            while not reader.at_eof():
                writer.write(b"\r\n")
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(reader.read(), 0.2)

        await asyncio.wait_for(send_empty_lines(), 60)


PROBE = b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"


async def idle(address: tuple[str, int], count: int) -> list[asyncio.StreamWriter]:
    return [(await asyncio.open_connection(*address))[1] for _ in range(count)]


@pytest.mark.parametrize(("most", "most_per_client"), [(5, 100), (100, 5)])
async def test_connections_without_end_shut_out_no_probe(most: int, most_per_client: int) -> None:
    async with (
        shim_rig.rig() as shim,
        shim_rig.listening(shim.edge, most=most, most_per_client=most_per_client) as address,
    ):
        kept = await idle(address, 5)
        flood = await idle(address, 3 * RESERVE)
        head, body_ = await exchange(address, REQUEST + b"\r\n")
        assert head.startswith(b"HTTP/1.1 503 ")
        assert b"retry-after: 1" in head
        assert b"connection: close" in head
        assert json.loads(body_) == {"status": "FAIL", "message": "too many connections: try again"}
        for path in (b"/livez", b"/readyz", b"/metrics"):
            head, text = await exchange(address, PROBE.replace(b"/livez", path))
            assert head.startswith(b"HTTP/1.1 200 "), path
            assert b"connection: close" in head
        assert f"anka_shim_connections {5 + RESERVE}.0".encode() in text
        for writer in (*kept, *flood):
            writer.close()
        async with asyncio.timeout(20):
            while not (await exchange(address, REQUEST + b"\r\n"))[0].startswith(b"HTTP/1.1 200 "):
                pass


async def test_a_connection_of_the_reserve_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "RESERVE_SECONDS", 0.1)
    async with shim_rig.rig() as shim, shim_rig.listening(shim.edge, most=1) as address:
        (kept,) = await idle(address, 1)
        reader, writer = await asyncio.open_connection(*address)
        writer.write(PROBE[:10])
        assert await asyncio.wait_for(reader.read(), 20) == b""
        for open_ in (kept, writer):
            open_.close()


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


async def test_slow_bodies_take_no_more_memory_than_there_is_for_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body, "READ_SECONDS", 60)
    size, count, limit = 1_000_000, 100, 16_000_000
    head = b"POST /api/v1/vm HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % size
    part = memoryview(b"x" * (size - 1))
    async with listening(max_bodies_bytes=limit) as address:
        before = resident_bytes()
        opened = [await asyncio.open_connection(*address) for _ in range(count)]
        for _, writer in opened:
            writer.write(head)
            with contextlib.suppress(ConnectionError):
                for start in range(0, len(part), 50_000):
                    writer.write(part[start : start + 50_000])
                    await writer.drain()
        assert resident_bytes() - before < 5 * limit
        small = REQUEST.replace(b"GET /api/v1/status", b"POST /api/v1/vm")
        _, text = await exchange(address, small + b"Content-Length: 12\r\n\r\n" + b'{"vmid":"x"}')
        assert json.loads(text)["message"] == "VM not in the registry"
        for _, writer in opened:
            writer.write_eof()
        texts = [await asyncio.wait_for(reader.read(), 20) for reader, _ in opened]
        refused = [text for text in texts if b"too many large requests at a time: try again" in text]
        assert len(refused) >= count - limit // size - 1
        assert all(text.startswith(b"HTTP/1.1 503 ") for text in refused)
        for _, writer in opened:
            writer.close()


@pytest.mark.parametrize(
    "raw",
    [
        b"POST /api/v1/vm HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{",
        b"POST /api/v1/vm HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{",
        b"POST /api/v1/vm HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 100\r\n\r\n",
        b"DELETE /api/v1/registry/vm/remove?id=x HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{",
        b"GET /api/v1/vm HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{",
        b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n" * 50,
        b"GET /docs/swagger-ui-bundle.js HTTP/1.1\r\nHost: x\r\n\r\n" * 20,
        b"GET /pkg/AnkaAgent.pkg HTTP/1.1\r\nHost: x\r\n\r\n",
        b"HEAD /pkg/AnkaAgent.pkg HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /pkg/AnkaAgent.pkg HTTP/1.1\r\nHost: x\r\nRange: bytes=0-\r\n\r\n",
        b"GET /logs/file?node_id=x HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /peer/reached?from=x&kind=ankainstances&version=9&seconds=1 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /api",
    ],
)
@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.Loop])
def test_a_client_that_goes_away_is_no_bug(
    raw: bytes, loop: Callable[[], asyncio.AbstractEventLoop], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "AnkaAgent.pkg").write_bytes(b"x" * 5_000_000)

    async def leave() -> None:
        async with listening(pkg_dir=tmp_path) as address:
            for how in itertools.product(("at once", "later", "in the answer"), ("reset", "close", "half"), range(2)):
                await _leave(address, raw, how[0], how[1])
            assert (await exchange(address, REQUEST + b"\r\n"))[0].startswith(b"HTTP/1.1 200 ")

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(leave())
    bad = [record for record in caplog.records if record.levelno >= logging.ERROR or record.exc_info]
    assert not bad, caplog.text


async def _leave(address: tuple[str, int], raw: bytes, when: str, how: str) -> None:
    reader, writer = await asyncio.open_connection(*address)
    writer.write(raw)
    if when == "later":
        # The server has seen it by then.
        await exchange(address, REQUEST + b"\r\n")
    elif when == "in the answer":
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(reader.read(10), 0.1)
    if how == "half":
        writer.write_eof()
    elif how == "reset":
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()
    writer.close()
