"""One connection: uvicorn's protocol, with the rules of RFC 9112 that it lacks. It ignores an offered upgrade, but to a
WebSocket where there is one, refuses ambiguous requests, answers in the order of the requests, and bounds the headers
in size and time."""

import asyncio
from collections.abc import Callable, Collection, Iterable
from typing import Any, cast

import httptools
from uvicorn._types import ASGI3Application, ASGIReceiveCallable, ASGISendCallable, ASGISendEvent, Scope
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from anka_runtime.repetition import CAUSE
from anka_shim.http.connection_budget import ConnectionBudget
from anka_shim.http.envelope import Envelope, fail
from anka_shim.http.rate import UNLIMITED
from anka_shim.http.remote_host import REMOTE_HOST, RemoteHost
from anka_shim.http.websocket import MAX_RECEIVED_BYTES, WEBSOCKET_OFFER, WebSocket, WebSocketOffer, is_offer

MAX_HEADER_BYTES = 65_536
"""Request line, headers and trailers together. Jenkins sends its own URLs and names there: some hundred bytes."""

HEADER_SECONDS = 30.0
"""From the first byte of a request to the end of its headers."""

RESERVE_SECONDS = 5.0
"""How long a connection of the reserve may take to send a request's headers."""

LINGER_SECONDS = 5.0
"""How long a client may continue to send after the last response."""

_VERSIONS = frozenset({"1.0", "1.1"})
_CONNECTION_FIELDS = frozenset({b"connection", b"proxy-connection", b"upgrade"})


class BadRequest(Exception):
    """Not a request, or one that two servers might read differently."""

    def __init__(self, message: str = "this is not an HTTP request", code: int = 400) -> None:
        super().__init__(message)
        self.code = code


class LingeringTransport:
    """A transport whose `close` waits for a client that is still sending.

    Closing at once resets the connection, and the client loses a response that it has not read yet (RFC 9112, 9.6).
    So `close` ends our side only; the protocol drops what still arrives."""

    def __init__(
        self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop, is_client_sending: Callable[[], bool]
    ) -> None:
        self._transport = transport
        self._loop = loop
        self._is_client_sending = is_client_sending
        self.is_lingering = False

    @property
    def inner(self) -> asyncio.Transport:
        return self._transport

    def write(self, data: bytes) -> None:
        """What a client that is gone would have got is dropped: uvloop raises, until the protocol knows."""
        if not self.is_closing():
            self._transport.write(data)

    def pause_reading(self) -> None:
        if not self._transport.is_closing():
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        if not self._transport.is_closing():
            self._transport.resume_reading()

    def close(self) -> None:
        if self.is_lingering:
            return
        if self._transport.is_closing() or not self._transport.can_write_eof() or not self._is_client_sending():
            self._transport.close()
            return
        self.is_lingering = True
        self._transport.write_eof()
        self.resume_reading()
        # A client that closes its side ends the wait.
        self._loop.call_later(LINGER_SECONDS, self._transport.close)

    def is_closing(self) -> bool:
        return self.is_lingering or self._transport.is_closing()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class Connection(HttpToolsProtocol):
    """A bad request is answered with an envelope, too, and ends the connection: where the next request begins is
    unknown. `websockets`: paths at which a GET may go on as a WebSocket."""

    def __init__(
        self, *arguments: Any, budget: ConnectionBudget, websockets: Collection[bytes] = (), **named: Any
    ) -> None:
        super().__init__(*arguments, **named)
        self._budget = budget
        self._websockets = websockets
        self._offer: WebSocketOffer | None = None
        self._early = bytearray()
        """What the client has sent after its offer, before that is answered."""
        self._is_admitted = True
        self._header_bytes = 0
        self._unread_bytes = 0
        self._in_body = False
        self._final_response: bytes | None = None
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._lingering = LingeringTransport(transport, self.loop, lambda: self._in_body or bool(self._final_response))
        super().connection_made(cast(asyncio.Transport, self._lingering))
        tls = transport.get_extra_info("ssl_object")
        self._remote = RemoteHost(self._client_address, tls.getpeercert(binary_form=True) if tls else None)
        self._is_admitted = self._budget.admit(self, self._client_address)
        # An unused connection is kept as long as an idle one.
        self._start_timer(float(self.timeout_keep_alive) if self._is_admitted else RESERVE_SECONDS)

    @property
    def _client_address(self) -> str:
        return self.client[0] if self.client else ""

    @property
    def is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def abort(self) -> None:
        self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._cancel_timer()
        self._budget.release(self, self._client_address, admitted=self._is_admitted)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._final_response is not None or self._lingering.is_lingering:
            return
        if self._offer is not None:
            self._early += data
            if len(self._early) > MAX_RECEIVED_BYTES:
                self.abort()
            return
        try:
            self._parse(data)
            if self._timer is not None:
                # Still within the headers: the parser buffers an unfinished header and reports nothing of it.
                self._unread_bytes += len(data)
                if self._unread_bytes > MAX_HEADER_BYTES:
                    raise _headers_too_long()
        except httptools.HttpParserError as error:
            # The exception of a callback is the context of the parser's.
            self._refuse(error.__context__ if isinstance(error.__context__, BadRequest) else BadRequest())
        except BadRequest as error:
            self._refuse(error)

    def _parse(self, data: bytes) -> None:
        """A server declines an upgrade by ignoring the offer (RFC 9110, 7.8). The parser cannot: it skips the body of
        such a request and leaves the bytes to the other protocol. So a new parser reads the head again without the
        offer, and then the body."""
        rest = memoryview(data)
        while True:
            try:
                self.parser.feed_data(rest)
                return
            except httptools.HttpParserUpgrade as offer:
                rest = rest[offer.args[0] :]
            head = self._head_without_offer()
            websocket = self._find_websocket_offer()
            self.parser = httptools.HttpRequestParser(self)
            self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
            if websocket is not None:
                # Whatever the answer is, nothing that follows is a request.
                self._offer = websocket
                self._early += rest
                self.parser.feed_data(head)
                return
            self.parser.feed_data(head)

    def _find_websocket_offer(self) -> WebSocketOffer | None:
        if self.url.partition(b"?")[0] not in self._websockets:
            return None
        method, version = self.parser.get_method(), self.parser.get_http_version()
        return WebSocketOffer(self.url, self.headers) if is_offer(method, version, self.url, self.headers) else None

    def _head_without_offer(self) -> bytes:
        line = b"%s %s HTTP/%s" % (self.parser.get_method(), self.url, self.parser.get_http_version().encode())
        fields = [b"%s: %s" % field for field in self.headers if field[0] != b"upgrade"]
        return b"\r\n".join([line, *fields, b"", b""])

    def on_message_begin(self) -> None:
        super().on_message_begin()
        cast(dict[str, Any], self.scope)[REMOTE_HOST] = self._remote
        # uvicorn does so at any byte: empty lines would keep a connection open for ever.
        self._unset_keepalive_if_required()
        self._header_bytes = self._unread_bytes = 0
        self._start_timer(HEADER_SECONDS if self._is_admitted else RESERVE_SECONDS)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._header_bytes += len(name) + len(value)
        if self._header_bytes > MAX_HEADER_BYTES:
            raise _headers_too_long()
        name = name.lower()
        if not self._in_body:
            self.headers.append((name, value.rstrip(b" \t")))
        elif name in _CONNECTION_FIELDS:
            # The parser would obey these. Other trailers are ignored.
            raise BadRequest(f"{name.decode()} must not be a trailer")

    def on_headers_complete(self) -> None:
        self._cancel_timer()
        self._check_head()
        if not self.parser.should_upgrade():
            super().on_headers_complete()
            self._in_body = True
        elif self.parser.get_method() == b"CONNECT":
            raise BadRequest

    def _check_head(self) -> None:
        """Refuse what RFC 9112 forbids and the parser accepts."""
        version = self.parser.get_http_version()
        if version not in _VERSIONS:
            raise BadRequest("only HTTP/1.1 and HTTP/1.0 are served")
        hosts = 0
        for name, value in self.headers:
            if name == b"host":
                hosts += 1
            elif name == b"transfer-encoding" and (value.lower() != b"chunked" or version == "1.0"):
                raise BadRequest("the only Transfer-Encoding is chunked, in HTTP/1.1")
            elif name == b"expect" and value.lower() == b"100-continue":
                # HTTP/1.0 has no 100 Continue (RFC 9110, 10.1.1).
                self.expect_100_continue = version == "1.1"
        if hosts > 1 or (hosts == 0 and version == "1.1"):
            raise BadRequest("there must be one Host header")
        if b"#" in self.url:
            raise BadRequest

    def on_message_complete(self) -> None:
        if not self.parser.should_upgrade():
            self._in_body = False
            super().on_message_complete()

    def on_response_complete(self) -> None:
        if self._final_response is None or self.pipeline:
            super().on_response_complete()
        else:
            self._send_final_response()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        if not self._is_admitted:
            cycle.keep_alive = False
            if not cycle.scope["path"].startswith(UNLIMITED):
                app = cast(ASGI3Application, _too_many_connections())
        if self._offer is not None and not self.pipeline:
            # It is the last request of this connection.
            cycle.keep_alive = False
            cast(dict[str, Any], cycle.scope)[WEBSOCKET_OFFER] = self._offer
            app = self._with_offer(app, self._offer, cycle)
        super()._start_asgi_task(cycle, _with_expectation(app, cycle) if cycle.waiting_for_100_continue else app)

    def _with_offer(
        self, app: ASGI3Application, offer: WebSocketOffer, cycle: RequestResponseCycle
    ) -> ASGI3Application:
        async def answer(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
            async def sending(message: ASGISendEvent) -> None:
                if message["type"] == "http.response.start" and message["status"] == 101:
                    self._switch(offer, cycle, message.get("headers", []))
                elif offer.listener is None or not cycle.disconnected:
                    await send(message)

            await app(scope, receive, sending)

        return answer

    def _switch(
        self, offer: WebSocketOffer, cycle: RequestResponseCycle, headers: Iterable[tuple[bytes, bytes]]
    ) -> None:
        """The connection goes on as a WebSocket, which counts in the budget as before."""
        if cycle.disconnected or self.transport.is_closing() or offer.listener is None:
            cycle.disconnected = True
            return
        # Nothing more is written, or missed, of this request.
        cycle.disconnected = True
        self._cancel_timer()
        self._unset_keepalive_if_required()
        self.connections.discard(self)
        transport = self._lingering.inner
        websocket = WebSocket(
            transport,
            self.connections,
            lambda: self._budget.release(self, self._client_address, admitted=self._is_admitted),
        )
        transport.set_protocol(websocket)
        websocket.start(offer, headers, bytes(self._early), offer.listener)

    def _refuse(self, refusal: BadRequest) -> None:
        about = {"client": self._client_address, CAUSE: (self._client_address, refusal.code)}
        self.logger.warning("refused a request: %s", refusal, extra=about)
        body = bytes(fail(str(refusal)).body)
        head = f"content-type: application/json\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n"
        self._stop(STATUS_LINE[refusal.code] + head.encode() + body)

    def _stop(self, response: bytes = b"") -> None:
        """Stop reading, and close the connection once all earlier requests are answered. `response` answers the request
        that is being read."""
        self._cancel_timer()
        self._final_response = response
        if self._in_body and self.pipeline:
            # The application has not seen the broken request yet.
            self.pipeline.popleft()
        elif self._in_body:
            if self.cycle.response_started:
                self._final_response = b""
            if not self.cycle.response_complete:
                self.cycle.disconnected = True
                self.cycle.message_event.set()
            self._send_final_response()
        elif self.cycle is None or self.cycle.response_complete:
            self._send_final_response()

    def _send_final_response(self) -> None:
        if not self.transport.is_closing():
            self.transport.write(self._final_response or b"")
            self.transport.close()

    def _start_timer(self, seconds: float) -> None:
        self._cancel_timer()
        self._timer = self.loop.call_later(seconds, self._stop)

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _too_many_connections() -> Envelope:
    return fail("too many connections: try again", code=503, headers={"Retry-After": "1"})


def _headers_too_long() -> BadRequest:
    return BadRequest(f"the request's headers are longer than {MAX_HEADER_BYTES} bytes", 431)


def _with_expectation(app: ASGI3Application, cycle: RequestResponseCycle) -> ASGI3Application:
    """A client that waits for 100 Continue and receives a final response may omit the body (RFC 9110, 10.1.1). Close
    the connection then: the server could not tell the omitted body from the next request."""

    async def answer(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        async def sending(message: ASGISendEvent) -> None:
            if cycle.waiting_for_100_continue and cycle.more_body:
                cycle.keep_alive = False
            await send(message)

        await app(scope, receive, sending)

    return answer
