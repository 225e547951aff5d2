"""WebSockets beside requests, on one port: what begins one, what it may send, and how it ends."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import os
from collections.abc import AsyncIterator
from typing import Any

import pytest
from starlette.types import Receive, Scope, Send
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from anka_shim.http import websocket as websockets
from anka_shim.http.connection_budget import ConnectionBudget
from anka_shim.http.envelope import ok
from anka_shim.http.server import listen, make_server
from anka_shim.http.websocket import WEBSOCKET_OFFER, SwitchingAnswer, WebSocket
from support.template_mac import until

HEAD = b"GET /talk HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
KEY = b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + base64.b64encode(os.urandom(16)) + b"\r\n"


class Talk:
    """Says back what it hears."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.lost = asyncio.Event()

    def on_open(self, opened: WebSocket) -> None:
        self.opened = opened

    def on_text(self, text: str) -> None:
        self.heard.append(text)
        self.opened.send(text.encode())

    def on_shutdown(self) -> None:
        self.opened.send(b"stopping")

    def on_lost(self) -> None:
        self.lost.set()


class App:
    """`/talk` is a WebSocket for who offers one; all else is answered."""

    def __init__(self) -> None:
        self.talks: list[Talk] = []
        self.budget = ConnectionBudget(most=10, most_per_client=10)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if WEBSOCKET_OFFER not in scope:
            await ok()(scope, receive, send)
            return
        talk = Talk()
        try:
            await SwitchingAnswer(talk)(scope, receive, send)
        except Exception:
            await ok()(scope, receive, send)
        else:
            self.talks.append(talk)


@contextlib.asynccontextmanager
async def serving() -> AsyncIterator[tuple[App, tuple[str, int]]]:
    app = App()
    server = make_server(
        app,  # type: ignore[arg-type]
        connections=app.budget,
        keep_alive_seconds=5,
        websockets=(b"/talk",),
    )
    with listen("127.0.0.1", 0) as sock:
        task = asyncio.create_task(server.serve(sockets=[sock]))
        yield app, sock.getsockname()[:2]
        server.should_exit = True
        await task


def talk(address: tuple[str, int], **options: Any) -> connect:
    return connect(f"ws://{address[0]}:{address[1]}/talk?x=1", proxy=None, **options)


async def heard(socket: Any) -> str:
    return str(await asyncio.wait_for(socket.recv(), 60))


async def test_both_sides_say_something() -> None:
    async with serving() as (app, address):
        async with talk(address) as socket:
            for text in ("a", "é" * 10_000, ""):
                await socket.send(text)
                assert await heard(socket) == text
            # In several frames.
            await socket.send(["in ", "parts"])
            assert await heard(socket) == "in parts"
            assert app.budget._admitted == 1
        (one,) = app.talks
        await asyncio.wait_for(one.lost.wait(), 60)
        assert app.budget._admitted == 0


async def test_what_comes_with_the_handshake() -> None:
    """A client that does not wait for its answer: nothing of what it says is lost."""
    async with serving() as (app, address):
        reader, writer = await asyncio.open_connection(*address)
        mask = bytes(4)
        writer.write(HEAD + KEY + b"\r\n" + b"\x81\x85" + mask + b"early")
        await writer.drain()
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 60)
        assert head.startswith(b"HTTP/1.1 101 ")
        assert await asyncio.wait_for(reader.readexactly(7), 60) == b"\x81\x05early"
        assert app.talks[0].heard == ["early"]
        writer.close()


@pytest.mark.parametrize(
    "request_",
    [
        HEAD + b"\r\n",
        HEAD + b"Sec-WebSocket-Version: 8\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
        HEAD + b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: short\r\n\r\n",
        HEAD.replace(b"websocket", b"h2c") + b"\r\n",
        HEAD.replace(b"GET", b"POST") + KEY + b"\r\n",
        HEAD.replace(b"/talk", b"/other") + KEY + b"\r\n",
        HEAD + KEY + b"Content-Length: 2\r\n\r\n{}",
    ],
    ids=["no key", "old version", "bad key", "another protocol", "POST", "elsewhere", "body"],
)
async def test_what_is_no_offer_is_a_request(request_: bytes) -> None:
    async with serving() as (app, address):
        reader, writer = await asyncio.open_connection(*address)
        writer.write(request_)
        answer = await asyncio.wait_for(reader.readuntil(b"}"), 60)
        assert answer.startswith(b"HTTP/1.1 200 ")
        assert not app.talks
        writer.close()


async def test_after_other_requests_on_the_connection() -> None:
    async with serving() as (_, address):
        reader, writer = await asyncio.open_connection(*address)
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" + HEAD + KEY + b"\r\n")
        assert (await asyncio.wait_for(reader.readuntil(b"}"), 60)).startswith(b"HTTP/1.1 200 ")
        assert (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 60)).startswith(b"HTTP/1.1 101 ")
        writer.close()


async def test_a_message_that_is_sent_in_parts() -> None:
    async with serving() as (app, address), talk(address, max_size=None) as socket:
        await socket.send("hello")
        await heard(socket)
        opened = app.talks[0].opened
        parts = [b"x" * 100_000 for _ in range(50)]
        sending = asyncio.create_task(opened.send_parts(iter(parts)))
        await until(lambda: opened._is_in_message)
        # Nothing comes in between.
        opened.send(b"lost")
        async with asyncio.timeout(60):
            assert len(await socket.recv()) == 5_000_000
        await sending
        opened.send(b"next")
        assert await heard(socket) == "next"


async def test_a_client_that_no_longer_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(websockets, "PING_SECONDS", 0.05)
    async with serving() as (app, address):
        reader, writer = await asyncio.open_connection(*address)
        writer.write(HEAD + KEY + b"\r\n")
        await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 60)
        with contextlib.suppress(ConnectionResetError):
            await asyncio.wait_for(reader.read(), 60)
        await asyncio.wait_for(app.talks[0].lost.wait(), 60)
        writer.close()


async def test_one_that_answers_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(websockets, "PING_SECONDS", 0.5)
    async with serving() as (app, address), talk(address) as socket:
        pongs = 0
        async with asyncio.timeout(60):
            while pongs < 3:
                await (await socket.ping())
                pongs += 1
                app.talks[0].opened._ping()
                await until(lambda: app.talks[0].opened._is_answered)
        await socket.send("still here")
        assert await heard(socket) == "still here"


async def test_the_server_does_not_wait_for_a_client_that_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(websockets, "CLOSE_SECONDS", 0.05)
    async with serving() as (_, address):
        reader, writer = await asyncio.open_connection(*address)
        writer.write(HEAD + KEY + b"\r\n")
        await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 60)
    # It has stopped.
    assert b"stopping" in await asyncio.wait_for(reader.read(), 60)
    writer.close()


async def test_what_is_no_frame() -> None:
    async with serving() as (app, address):
        reader, writer = await asyncio.open_connection(*address)
        writer.write(HEAD + KEY + b"\r\n" + b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        with contextlib.suppress(ConnectionResetError):
            answer = await asyncio.wait_for(reader.read(), 60)
            assert answer.count(b"HTTP/1.1") == 1
        await asyncio.wait_for(app.talks[0].lost.wait(), 60)
        writer.close()


async def test_closed_by_us() -> None:
    async with serving() as (app, address), talk(address) as socket:
        await socket.send("x")
        await heard(socket)
        app.talks[0].opened.close(1000, "enough")
        with pytest.raises(ConnectionClosed) as closed:
            await heard(socket)
        assert closed.value.rcvd is not None
        assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (1000, "enough")
