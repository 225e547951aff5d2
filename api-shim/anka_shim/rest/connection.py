"""One connection: uvicorn's, with an end to headers that are too long or too slow. uvicorn bounds neither."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from anka_shim.rest.envelope import fail

MAX_HEADER_BYTES = 65_536
"""Request line, headers and trailers together. Jenkins sends its own URLs and names there: some hundred bytes."""

HEADER_SECONDS = 30.0
"""From the first byte of a request to the end of its headers."""


class TooLong(Exception):
    """Ends the parsing of a request."""


class Connection(HttpToolsProtocol):
    """What can't be read as a request is answered with an envelope, too, and the connection is closed."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._header_bytes = 0
        self._unread_bytes = 0
        self._too_long = False
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        # One that never sends anything is kept as long as one that has sent something.
        self._limit(float(self.timeout_keep_alive))

    def connection_lost(self, exc: Exception | None) -> None:
        self._unlimit()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._timer is not None:
            # Still no end of the headers: the parser keeps what it got, and shows us nothing of a long one.
            self._unread_bytes += len(data)
            if self._unread_bytes > MAX_HEADER_BYTES and not self.transport.is_closing():
                self._too_long = True
                self.send_400_response("")

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._header_bytes = self._unread_bytes = 0
        self._limit(HEADER_SECONDS)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._header_bytes += len(name) + len(value)
        if self._header_bytes > MAX_HEADER_BYTES:
            self._too_long = True
            raise TooLong
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._unlimit()
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        code, text = 400, "this is not an HTTP request"
        if self._too_long:
            code, text = 431, f"the request's headers are longer than {MAX_HEADER_BYTES} bytes"
        body = bytes(fail(text).body)
        head = f"content-type: application/json\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n"
        self.transport.write(STATUS_LINE[code] + head.encode() + body)
        self.transport.close()

    def _limit(self, seconds: float) -> None:
        self._unlimit()
        self._timer = self.loop.call_later(seconds, self.transport.close)

    def _unlimit(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
