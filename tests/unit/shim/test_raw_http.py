"""What is broken below the requests: over a real socket, always an envelope, and the server goes on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import orjson
import pytest

from support.shim_rig import listening, rig

LINE = b"POST /api/v1/vm HTTP/1.1\r\nHost: shim\r\n"
CHUNKED = LINE + b"Transfer-Encoding: chunked\r\n\r\n"
GOOD = b"GET /api/v1/group HTTP/1.1\r\nHost: shim\r\n\r\n"
LAST = b"GET /api/v1/group HTTP/1.1\r\nHost: shim\r\nConnection: close\r\n\r\n"
Address = tuple[str, int]


@asynccontextmanager
async def served() -> AsyncIterator[Address]:
    async with rig(access_log="none") as shim, listening(shim.edge) as address:
        yield address


@pytest.fixture
async def address() -> AsyncIterator[Address]:
    async with served() as found:
        yield found


async def answers(address: Address, raw: bytes, *, cut: bool = False) -> list[tuple[int, dict[str, Any]]]:
    """Code and envelope of each answer, until the server closes the connection. `cut`: we end our side first."""
    reader, writer = await asyncio.open_connection(*address)
    writer.write(raw)
    if cut:
        writer.write_eof()
    data = await asyncio.wait_for(reader.read(), 20)
    writer.close()
    found = []
    while data:
        head, _, data = data.partition(b"\r\n\r\n")
        fields = dict(line.split(b": ", 1) for line in head.lower().split(b"\r\n")[1:])
        length = int(fields[b"content-length"])
        assert fields[b"content-type"] == b"application/json", head
        answer = orjson.loads(data[:length])
        assert answer.keys() >= {"status", "message"}
        found.append((int(head.split(b" ", 2)[1]), answer))
        data = data[length:]
    return found


@pytest.mark.parametrize(
    "raw",
    [
        b"garbage\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET\r\n\r\n",
        b"GET /api/v1/vm HTTP/9.9\r\n\r\n",
        b"GET /api/v1/vm HTTP/1.1\r\nno colon\r\n\r\n",
        b"GET /api/v1/vm HTTP/1.1\r\nA: \x00\r\n\r\n",
        b"SURPRISE /api/v1/vm HTTP/1.1\r\nHost: shim\r\n\r\n",
        LINE + b"Content-Length: -1\r\n\r\n",
        LINE + b"Content-Length: x\r\n\r\n",
        LINE + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
        LINE + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}",
    ],
)
async def test_what_is_not_http(address: Address, raw: bytes) -> None:
    ((code, answer),) = await answers(address, raw)
    assert (code, answer["status"]) == (400, "FAIL")
    assert answer["message"] == "this is not an HTTP request"
    # The next one is served as ever.
    assert [code for code, _ in await answers(address, LAST)] == [200]


@pytest.mark.parametrize(
    "body", [b"zz\r\n{}\r\n0\r\n\r\n", b"2\r\n{}garbage", b"-1\r\n\r\n", b"ffffffffffffffffff\r\n{}\r\n0\r\n\r\n"]
)
async def test_broken_chunks(address: Address, body: bytes) -> None:
    for code, answer in await answers(address, CHUNKED + body):
        assert (code, answer["status"]) == (400, "FAIL")
    assert [code for code, _ in await answers(address, LAST)] == [200]


async def test_good_chunks(address: Address) -> None:
    ((code, answer),) = await answers(address, CHUNKED + b"1\r\n{\r\n1\r\n}\r\n0\r\n\r\n", cut=True)
    assert (code, answer["message"]) == (200, "vmid: is required, the UUID of the template to start")


@pytest.mark.parametrize("body", [b"{", b"{}"])
async def test_a_body_that_ends_early_starts_nothing(address: Address, body: bytes) -> None:
    await answers(address, LINE + b"Content-Length: 900\r\n\r\n" + body, cut=True)
    ((code, answer),) = await answers(address, LAST.replace(b"/group", b"/vm"))
    assert (code, answer["body"]) == (200, [])


async def test_garbage_after_good_requests(address: Address) -> None:
    found = await answers(address, GOOD + GOOD + b"\x00\x01garbage\r\n\r\n" + GOOD)
    assert {code for code, _ in found} <= {200, 400}
    assert 400 in {code for code, _ in found}
    assert [code for code, _ in await answers(address, GOOD + GOOD + LAST)] == [200, 200, 200]
