"""HTTP/1.1 as a client's library writes it: its headers, in its order, over its kept connection."""

from __future__ import annotations

import gzip
import http.client
import ssl
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

NETWORK_ERRORS = (OSError, http.client.HTTPException)

Headers = Iterable[tuple[str, str]]


@dataclass(frozen=True)
class Reply:
    code: int
    headers: Mapping[str, str]
    raw: bytes


class Wire:
    """One connection to one server, kept open and opened anew when it was closed. Nothing is repeated here."""

    def __init__(self, url: str, *, timeout: float | None, tls: ssl.SSLContext | None = None) -> None:
        """`timeout`: seconds for connecting, and between two bytes of an answer. `tls`: for https."""
        self.host = urlsplit(url).netloc
        self._tls = tls if urlsplit(url).scheme == "https" else None
        self.opened = 0
        """How many connections were needed."""
        self._timeout = timeout
        self._connection: http.client.HTTPConnection | None = None

    def send(self, method: str, target: str, headers: Headers, body: bytes | None = None) -> Reply:
        """Exactly these headers, no others. Raises what NETWORK_ERRORS lists."""
        connection = self._connection or self._open()
        try:
            connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
            for name, value in headers:
                connection.putheader(name, value.encode())
            connection.endheaders(body)
            response = connection.getresponse()
            raw = response.read()
        except NETWORK_ERRORS:
            self.close()
            raise
        if response.will_close:
            self.close()
        return Reply(response.status, dict(response.headers), _plain(raw, response.headers.get("Content-Encoding", "")))

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _open(self) -> http.client.HTTPConnection:
        self.opened += 1
        self._connection = (
            http.client.HTTPConnection(self.host, timeout=self._timeout)
            if self._tls is None
            else http.client.HTTPSConnection(self.host, timeout=self._timeout, context=self._tls)
        )
        return self._connection


def _plain(raw: bytes, encoding: str) -> bytes:
    """All of the clients' libraries unpack by themselves what they said they accept."""
    if encoding == "gzip":
        return gzip.decompress(raw)
    return zlib.decompress(raw) if encoding == "deflate" else raw
