"""HTTP/1.1 byte by byte: a server's protocol on a transport without a network, so that a test chooses the segments in
which a request arrives. Any of uvicorn's protocols can be held beside ours."""

from __future__ import annotations

import asyncio
import copy
import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import h11
import orjson
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from anka_shim.http.connection import Connection
from anka_shim.http.connection_budget import ConnectionBudget

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


@dataclass(frozen=True)
class Answer:
    """`seen`: what the application was given, as the answer of `echo` says; None for an answer of the server's own."""

    code: int
    seen: tuple[str, str, str] | None
    closes: bool = False


@dataclass
class Exchange:
    answers: list[Answer] = field(default_factory=list)
    applied: list[tuple[str, str, str]] = field(default_factory=list)
    """Method, path and body of each request that the application has read to its end."""
    written: bytes = b""
    continues: int = 0
    closed: bool = False

    @property
    def outcome(self) -> list[tuple[int, tuple[str, str, str] | None]]:
        return [(answer.code, answer.seen) for answer in self.answers]


class WireTransport(asyncio.Transport):
    """Keeps what is written. Segments wait while the protocol has paused reading."""

    def __init__(self) -> None:
        super().__init__({"peername": ("192.0.2.1", 50000), "sockname": ("192.0.2.2", 80)})
        self.written = bytearray()
        self.closed = self.ended = self.paused = False

    def write(self, data: Any) -> None:
        assert not self.ended or not data, "written after the end"
        if not self.closed:
            self.written += data

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        self.ended = True

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    def pause_reading(self) -> None:
        self.paused = True

    def resume_reading(self) -> None:
        self.paused = False


class ReferenceParser(h11.Connection):
    """h11, which ignores offered upgrades. RFC 9112, 2.2 has a server ignore empty lines before a request: h11 does
    not, and llhttp does."""

    def next_event(self) -> Any:
        buffer = self._receive_buffer
        if self.their_state is h11.IDLE and bytes(buffer)[:1] in (b"\r", b"\n"):
            whole = buffer.maybe_extract_at_most(len(buffer)) or b""
            buffer += bytes(whole).lstrip(b"\r\n")
        return super().next_event()


class ReferenceProtocol(H11Protocol):
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.conn = ReferenceParser(h11.SERVER, self.conn._max_incomplete_event_size)

    def send_400_response(self, msg: str) -> None:
        # uvicorn's own breaks where the refused request is a HEAD.
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            self.transport.write(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        self.transport.close()


async def exchange(
    protocol: type[asyncio.Protocol],
    segments: Sequence[bytes],
    *,
    application: ASGIApp | None = None,
    read_answers: bool = True,
) -> Exchange:
    """Send the segments one after the other, each when all work on the earlier ones is done. Without an application,
    one that answers with what it was given."""
    result = Exchange()

    async def echo(scope: Scope, receive: Receive, send: Send) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body += message["body"]
            more = message["more_body"]
        seen = (scope["method"], scope["path"], body.decode("latin-1"))
        result.applied.append(seen)
        content = orjson.dumps(seen)
        headers = [(b"content-length", b"%d" % len(content)), (b"x-seen", content.hex().encode())]
        # Success would make a tunnel of this connection (RFC 9110, 9.3.6).
        code = 405 if scope["method"] == "CONNECT" else 200
        await send({"type": "http.response.start", "status": code, "headers": headers})
        await send({"type": "http.response.body", "body": content})

    config = copy.copy(_config())
    config.loaded_app = application or echo
    state = ServerState()
    named = {"budget": ConnectionBudget(most=1, most_per_client=1)} if issubclass(protocol, Connection) else {}
    made = cast(Any, protocol)(config=config, server_state=state, app_state={}, **named)
    transport = WireTransport()
    made.connection_made(transport)
    for segment in segments:
        if segment and not transport.closed:
            made.data_received(segment)
        await _settle(state)
        assert transport.closed or not transport.paused, "reading is paused, and nothing is being worked on"
    result.closed = transport.closed or transport.ended
    made.connection_lost(None)
    await _settle(state)
    result.written = bytes(transport.written)
    if read_answers:
        _read_answers(result.written, result)
    return result


@functools.cache
def _config() -> uvicorn.Config:
    """To make one takes longer than most exchanges."""
    config = uvicorn.Config("asyncio:run", lifespan="off", ws="none", log_config=None, proxy_headers=False)
    config.load()
    return config


async def _settle(state: ServerState) -> None:
    """Until every request is answered, or waits for bytes of the client."""
    quiet = 0
    while quiet < 3:
        before = sum(1 for task in state.tasks), state.total_requests
        await asyncio.sleep(0)
        quiet = quiet + 1 if before == (len(state.tasks), state.total_requests) else 0


def _read_answers(written: bytes, result: Exchange) -> None:
    while written:
        if written.startswith(CONTINUE):
            result.continues += 1
            written = written.removeprefix(CONTINUE)
            continue
        head, separator, rest = written.partition(b"\r\n\r\n")
        assert separator, written
        code = int(head.split(b" ")[1])
        lines = head.lower().split(b"\r\n")
        length = re.search(rb"content-length: (\d+)", head.lower())
        echoed = re.search(rb"x-seen: (\w+)", head)
        seen = tuple(orjson.loads(bytes.fromhex(echoed[1].decode()))) if echoed else None
        assert length, head
        size = 0 if seen and seen[0] == "HEAD" else int(length[1])
        assert len(rest) >= size
        written = rest[size:]
        result.answers.append(Answer(code, seen, b"connection: close" in lines))
