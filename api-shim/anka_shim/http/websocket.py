"""WebSockets (RFC 6455): a connection that began as a GET request, and passed all that requests pass, goes on as one.

The protocol itself is that of the library `websockets`, without I/O; this is the I/O, in uvicorn's connections."""

import asyncio
import contextlib
import logging
import socket
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from websockets.extensions.permessage_deflate import ServerPerMessageDeflateFactory
from websockets.frames import CloseCode, Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import State
from websockets.server import ServerProtocol

from anka_shim import metrics
from anka_shim.failure import Failure

log = logging.getLogger(__name__)

WEBSOCKET_OFFER = "anka.websocket_offer"
"""Key in the ASGI scope under which a request that offers to go on as a WebSocket has its WebSocketOffer."""

MAX_RECEIVED_BYTES = 65_536
"""Of a message, and before the handshake is over."""
PING_SECONDS = 20.0
"""Between two pings, and the longest time until one is answered."""
WINDOW_BITS = 13
"""Of the compression: more would find more repetitions, and take more memory for each connection."""
KERNEL_BYTES = 262_144
"""That the kernel keeps for a slow client."""
CLOSE_SECONDS = 2.0
"""How long a client may take to close its side."""

_HANDSHAKE_FIELDS = frozenset(
    {b"host", b"connection", b"upgrade", b"sec-websocket-key", b"sec-websocket-version", b"sec-websocket-extensions"}
)
_OWN_FIELDS = frozenset({b"connection", b"content-length", b"content-type", b"transfer-encoding"})
_quiet = logging.getLogger("anka_shim.http.websocket.frames")
_quiet.setLevel(logging.CRITICAL)
"""The library logs what clients do wrong, which is no matter of ours."""


class WebSocketListener(Protocol):
    """Whose WebSocket it is. Called in the event loop; must not raise."""

    def on_open(self, opened: "WebSocket") -> None: ...

    def on_text(self, text: str) -> None: ...

    def on_shutdown(self) -> None:
        """The server stops."""

    def on_lost(self) -> None:
        """It is closed. Called once."""


class WebSocketOffer:
    """Of a client. An endpoint takes it up with SwitchingAnswer, or answers as ever."""

    def __init__(self, target: bytes, headers: Iterable[tuple[bytes, bytes]]) -> None:
        fields = [b"%s: %s" % field for field in headers if field[0] in _HANDSHAKE_FIELDS]
        self._head = b"\r\n".join([b"GET %s HTTP/1.1" % target.partition(b"?")[0], *fields, b"", b""])
        self.listener: WebSocketListener | None = None

    def begin(self) -> tuple[ServerProtocol, Any]:
        """The protocol, and the answer to the handshake. ValueError for an offer that is not one."""
        protocol = ServerProtocol(
            extensions=[
                ServerPerMessageDeflateFactory(
                    server_max_window_bits=WINDOW_BITS,
                    client_max_window_bits=WINDOW_BITS,
                    compress_settings={"memLevel": 5},
                )
            ],
            max_size=MAX_RECEIVED_BYTES,
            logger=_quiet,
        )
        protocol.receive_data(self._head)
        request = next((event for event in protocol.events_received() if isinstance(event, Request)), None)
        if request is None:
            raise ValueError("this is not the handshake of a WebSocket")
        response = protocol.accept(request)
        if response.status_code != 101:
            raise ValueError("this is not the handshake of a WebSocket: it needs version 13 and a key")
        return protocol, response


class SwitchingAnswer(Response):
    """Takes up the offer: from here on, the connection is the listener's. Raises Failure if there is none."""

    def __init__(self, listener: WebSocketListener) -> None:
        super().__init__(status_code=101)
        self._listener = listener

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        offer: WebSocketOffer = scope[WEBSOCKET_OFFER]
        try:
            offer.begin()
        except ValueError as error:
            raise Failure(str(error), code=400) from None
        offer.listener = self._listener
        await super().__call__(scope, receive, send)


def find_offer(scope: Scope) -> WebSocketOffer:
    """Raises Failure for a request without one."""
    offer: WebSocketOffer | None = scope.get(WEBSOCKET_OFFER)
    if offer is None:
        raise Failure("this is a WebSocket: connect to it as such", code=426)
    return offer


class WebSocket(asyncio.Protocol):
    """One, after its handshake. `connections`: the server's, of which it is one until it is closed."""

    def __init__(self, transport: asyncio.Transport, connections: set[Any], on_lost: Callable[[], None]) -> None:
        self._transport = transport
        self._connections = connections
        self._on_lost = on_lost
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._drained: asyncio.Future[None] | None = None
        self._is_paused = False
        self._is_answered = True
        self._parts: list[bytes] = []
        self._is_in_message = False

    def start(
        self, offer: WebSocketOffer, headers: Iterable[tuple[bytes, bytes]], early: bytes, listener: WebSocketListener
    ) -> None:
        """`headers`: more of them, for the answer. `early`: what has come after the handshake."""
        self._listener = listener
        self._protocol, response = offer.begin()
        response.headers.update(
            (name.decode(), value.decode("latin-1")) for name, value in headers if name not in _OWN_FIELDS
        )
        self._connections.add(self)
        # What a client does not take is kept here, where it is seen, and not by the kernel.
        self._transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, KERNEL_BYTES)
        self._protocol.send_response(response)
        self._flush()
        self._start_timer(PING_SECONDS, self._ping)
        listener.on_open(self)
        self._transport.resume_reading()
        if early:
            self.data_received(early)

    # --- ours to use ---

    @property
    def is_open(self) -> bool:
        return self._protocol.state is State.OPEN and not self._transport.is_closing()

    @property
    def unsent_bytes(self) -> int:
        """What the client has not taken yet, beyond what the kernel holds."""
        return 0 if self._transport.is_closing() else self._transport.get_write_buffer_size()

    @property
    def is_congested(self) -> bool:
        """Whether there is so much of it that the client must first take some."""
        return self._is_paused

    def send(self, text: bytes) -> None:
        """At once: what the client does not take is kept. Nothing happens when it is closed, or within a message
        that is sent in parts."""
        if self.is_open and not self._is_in_message:
            self._protocol.send_text(text)
            metrics.WEBSOCKET_MESSAGES.inc()
            self._flush()

    async def send_parts(self, parts: Iterable[bytes]) -> None:
        """One message, part by part: each when the client has taken those before, and other work in between. No other
        message may be sent meanwhile."""
        previous: bytes | None = None
        is_first = True
        for part in parts:
            if previous is not None:
                self._send_part(previous, is_first=is_first, is_last=False)
                is_first = False
                await self.drain()
            previous = part
        self._send_part(previous or b"", is_first=is_first, is_last=True)
        metrics.WEBSOCKET_MESSAGES.inc()

    async def drain(self) -> None:
        """Returns when the client has taken nearly all, or is gone; other work comes first in any case."""
        await asyncio.sleep(0)
        if self._is_paused and self.is_open:
            if self._drained is None:
                self._drained = self._loop.create_future()
            await asyncio.shield(self._drained)

    def close(self, code: int = CloseCode.NORMAL_CLOSURE, reason: str = "") -> None:
        """The client has CLOSE_SECONDS for its part."""
        if self.is_open:
            self._protocol.send_close(code, reason)
            self._flush()
            self._start_timer(CLOSE_SECONDS, self._transport.abort)

    # --- of asyncio and uvicorn ---

    def data_received(self, data: bytes) -> None:
        self._protocol.receive_data(data)
        for event in self._protocol.events_received():
            if isinstance(event, Frame):
                self._take(event)
        self._flush()
        if self._protocol.close_expected():
            self._end()

    def eof_received(self) -> bool:
        self._protocol.receive_eof()
        return False

    def pause_writing(self) -> None:
        self._is_paused = True

    def resume_writing(self) -> None:
        self._is_paused = False
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        self._cancel_timer()
        self._connections.discard(self)
        self._wake()
        self._on_lost()
        self._listener.on_lost()

    def shutdown(self) -> None:
        """The server stops, and waits for its connections to end."""
        self._listener.on_shutdown()
        self.close(CloseCode.GOING_AWAY)

    # --- inside ---

    def _take(self, frame: Frame) -> None:
        if frame.opcode is Opcode.PONG:
            self._is_answered = True
        elif frame.opcode in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
            self._parts.append(bytes(frame.data))
            if frame.fin:
                text, self._parts = b"".join(self._parts), []
                with contextlib.suppress(UnicodeDecodeError):
                    self._listener.on_text(text.decode())

    def _send_part(self, part: bytes, *, is_first: bool, is_last: bool) -> None:
        if self.is_open:
            send = self._protocol.send_text if is_first else self._protocol.send_continuation
            send(part, is_last)
            self._is_in_message = not is_last
            self._flush()

    def _ping(self) -> None:
        if not self._is_answered:
            self._transport.abort()
            return
        self._is_answered = False
        if self.is_open:
            self._protocol.send_ping(b"")
            self._flush()
        self._start_timer(PING_SECONDS, self._ping)

    def _flush(self) -> None:
        data = b"".join(self._protocol.data_to_send())
        if data and not self._transport.is_closing():
            metrics.WEBSOCKET_BYTES.inc(len(data))
            self._transport.write(data)

    def _end(self) -> None:
        """Both sides have said so: a client that does not close the connection now does not hold us up."""
        if not self._transport.is_closing():
            self._transport.close()
            self._start_timer(CLOSE_SECONDS, self._transport.abort)

    def _wake(self) -> None:
        if self._drained is not None:
            if not self._drained.done():
                self._drained.set_result(None)
            self._drained = None

    def _start_timer(self, seconds: float, call: Callable[[], None]) -> None:
        self._cancel_timer()
        self._timer = self._loop.call_later(seconds, call)

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def is_offer(method: bytes, version: str, target: bytes, headers: Sequence[tuple[bytes, bytes]]) -> bool:
    """Whether the head of a request with an upgrade offers a WebSocket, and has no body."""
    names = {name for name, _ in headers}
    upgrades = b",".join(value for name, value in headers if name == b"upgrade").lower()
    return (
        method == b"GET"
        and version == "1.1"
        and b"websocket" in [word.strip() for word in upgrades.split(b",")]
        and names.isdisjoint({b"content-length", b"transfer-encoding"})
    )
