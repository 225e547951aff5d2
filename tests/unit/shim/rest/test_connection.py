"""What uvicorn itself lets through, over real sockets."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from anka_shim.rest import body, connection
from anka_shim.server import listen, server
from support.shim_rig import rig


@contextlib.asynccontextmanager
async def listening(trusted_proxies: str = "", **settings: Any) -> AsyncIterator[tuple[str, int]]:
    async with rig(**settings) as shim:
        web = server(shim.edge, keep_alive_seconds=30, trusted_proxies=trusted_proxies)
        with listen("127.0.0.1", 0) as sock:
            task = asyncio.create_task(web.serve(sockets=[sock]))
            yield sock.getsockname()[:2]
            web.should_exit = True
            await task


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
