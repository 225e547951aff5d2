"""The HTTP server: uvicorn, stopped by us and not by its own signal handlers."""

import asyncio
import contextlib
import logging
import socket
from collections.abc import Collection, Generator
from typing import Any, cast

import uvicorn

from anka_runtime.tls_files import TlsFiles
from anka_shim.http.connection import Connection
from anka_shim.http.connection_budget import RESERVE, ConnectionBudget
from anka_shim.http.edge import Edge
from anka_shim.http.tls_connection import TlsConnection

# It logs its own start and end at INFO; the process logs them itself.
logging.getLogger("uvicorn.error").setLevel(logging.WARNING)

OWN_DESCRIPTORS = 256
"""For connections to the Kubernetes API, the registry and the other replicas, and for files."""

STOP_SECONDS = 20
"""How long requests in flight may take to finish once we stop listening."""


class Server(uvicorn.Server):
    """Serves until `should_exit` is set. Signals belong to the process, which becomes not ready first."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


def make_server(
    app: Edge,
    *,
    connections: ConnectionBudget,
    keep_alive_seconds: int,
    trusted_proxies: str = "",
    tls: TlsFiles | None = None,
    websockets: Collection[bytes] = (),
) -> Server:
    """`tls`: with our certificate; None for plain HTTP. `websockets`: paths of those that there are."""

    def make_connection(**named: Any) -> asyncio.Protocol:
        connection = Connection(**named, budget=connections, websockets=websockets)
        return connection if tls is None else TlsConnection(connection, tls, connections)

    return Server(
        uvicorn.Config(
            app,
            # uvicorn calls it, and asks no more of it.
            http=cast(type[Connection], make_connection),
            lifespan="off",
            ws="none",
            access_log=False,
            log_config=None,
            server_header=False,
            # Otherwise any client could pass for another.
            proxy_headers=bool(trusted_proxies),
            forwarded_allow_ips=trusted_proxies,
            # Jenkins keeps a connection for 120 s: one that we close earlier makes it repeat a POST blindly.
            timeout_keep_alive=keep_alive_seconds,
            timeout_graceful_shutdown=STOP_SECONDS,
        )
    )


def raise_descriptor_limit(connections: int) -> None:
    """Let this process have so many connections of clients. Raises OSError when the system forbids it."""
    try:
        import resource
    except ImportError:  # not on Windows
        return
    needed = connections + RESERVE + OWN_DESCRIPTORS
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if resource.RLIM_INFINITY != hard < needed:
        raise OSError(f"{needed} file descriptors are needed for it, and this process may have {hard}")
    if resource.RLIM_INFINITY != soft < needed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))


def listen(host: str, port: int) -> socket.socket:
    """A listening socket. Raises OSError when the address can't be used."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    family, kind, proto, _, address = found[0]
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
