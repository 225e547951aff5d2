"""HTTP/1.1 as a client's library writes it: its headers, in its order, over its kept connection."""

from __future__ import annotations

import gzip
import http.client
import zlib
from base64 import b64encode
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

    def __init__(self, url: str, *, timeout: float | None) -> None:
        """`timeout`: seconds for connecting, and between two bytes of an answer. A login in the URL is sent where the
        client has no credentials of its own: it stands for what an administrator gives a client that can have some."""
        login, _, self.host = urlsplit(url).netloc.rpartition("@")
        self._login = b"Basic " + b64encode(login.encode()) if login else b""
        self.opened = 0
        """How many connections were needed."""
        self._timeout = timeout
        self._connection: http.client.HTTPConnection | None = None

    def send(self, method: str, target: str, headers: Headers, body: bytes | None = None) -> Reply:
        """Exactly these headers, no others. Raises what NETWORK_ERRORS lists."""
        connection = self._connection or self._open()
        try:
            connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
            names = set()
            for name, value in headers:
                connection.putheader(name, value.encode())
                names.add(name.lower())
            if self._login and "authorization" not in names:
                connection.putheader("Authorization", self._login)
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
        self._connection = http.client.HTTPConnection(self.host, timeout=self._timeout)
        return self._connection


def _plain(raw: bytes, encoding: str) -> bytes:
    """All of the clients' libraries unpack by themselves what they said they accept."""
    if encoding == "gzip":
        return gzip.decompress(raw)
    return zlib.decompress(raw) if encoding == "deflate" else raw
