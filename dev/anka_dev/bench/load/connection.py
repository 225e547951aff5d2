"""One keep-alive connection that sends requests and counts, with as little work for each answer as possible."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

import httptools

OnAnswer = Callable[["LoadConnection", int, int, bytes], None]
"""(connection, HTTP status or 0 when the connection broke, length of the body, its first bytes)."""

_HEAD_BYTES = 300


class LoadConnection(asyncio.Protocol):
    """Plain or TLS, as its transport is. `answered` is called once for each `ask`."""

    def __init__(self, answered: OnAnswer) -> None:
        self._on_answer = answered
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._waiting = False
        self._length = 0
        self._head = b""

    @property
    def usable(self) -> bool:
        return self._transport is not None

    def ask(self, request: bytes) -> None:
        if self._transport is None:
            self._on_answer(self, 0, 0, b"the server closed the connection")
            return
        self._waiting = True
        self._transport.write(request)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()
            self._transport = None

    # --- asyncio ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports have no common base class.
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None
        if self._waiting:
            self._waiting = False
            self._on_answer(self, 0, 0, str(error or "the server closed the connection").encode())

    # --- httptools ---

    def on_body(self, body: bytes) -> None:
        if len(self._head) < _HEAD_BYTES:
            self._head += body[:_HEAD_BYTES]
        self._length += len(body)

    def on_message_complete(self) -> None:
        status, length, head = self._parser.get_status_code(), self._length, self._head
        self._length, self._head, self._waiting = 0, b"", False
        # A parser stops at the end of a message when the server closes; a new one costs a microsecond.
        if not self._parser.should_keep_alive():
            self.close()
        self._on_answer(self, status, length, head)
