"""The HTTP server: uvicorn, stopped by us and not by its own signal handlers."""

from __future__ import annotations

import contextlib
import logging
import socket
from collections.abc import Generator

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from anka_shim.rest.edge import Edge
from anka_shim.rest.envelope import fail

# It tells of its own start and end at INFO; the process does so in its own words.
logging.getLogger("uvicorn.error").setLevel(logging.WARNING)

STOP_SECONDS = 20
"""How long requests in flight may take to finish once we stop listening."""


class Protocol(HttpToolsProtocol):
    """HTTP, where what is not HTTP at all is answered with the envelope, too. It never reaches the application."""

    def send_400_response(self, msg: str) -> None:
        content = fail(f"not a valid HTTP request: {msg}").body
        head = f"content-type: application/json\r\ncontent-length: {len(content)}\r\nconnection: close\r\n\r\n"
        self.transport.write(b"HTTP/1.1 400 Bad Request\r\n" + head.encode() + bytes(content))
        self.transport.close()


class Server(uvicorn.Server):
    """Serves until `should_exit` is set. Signals belong to the process, which becomes not ready first."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


def server(app: Edge, *, keep_alive_seconds: int) -> Server:
    return Server(
        uvicorn.Config(
            app,
            http=Protocol,
            lifespan="off",
            ws="none",
            access_log=False,
            log_config=None,
            server_header=False,
            # Jenkins keeps a connection for 120 s: one that we close earlier makes it repeat a POST blindly.
            timeout_keep_alive=keep_alive_seconds,
            timeout_graceful_shutdown=STOP_SECONDS,
        )
    )


def listen(host: str, port: int) -> socket.socket:
    """A listening socket. Raises OSError when the address can't be used."""
    family, kind, proto, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[
        0
    ]
    sock = socket.socket(family, kind, proto)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(address)
        sock.listen(2048)
        sock.setblocking(False)
    except OSError:
        sock.close()
        raise
    return sock
