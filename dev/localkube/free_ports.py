"""Ports of this machine for servers that are started later."""

import random
import socket

from localkube.errors import DevError

HOST = "127.0.0.1"
FIRST, LAST = 20_000, 32_767
"""Below those that systems give to outgoing connections (Linux from 32768, macOS from 49152): one of these can be taken
between the choice of a port and the start of its server."""
TRIES = 100


def bind(port: int) -> socket.socket:
    """Raises OSError for a port that is taken."""
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        # As servers do: a port with closed connections in TIME_WAIT is free.
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((HOST, port))
    except OSError:
        bound.close()
        raise
    return bound


def free_port(preferred: int = 0) -> int:
    """`preferred` if it is free, else any port that is free now, by chance. Raises DevError."""
    chosen = (random.randint(FIRST, LAST) for _ in range(TRIES))
    for port in (*([preferred] if preferred else []), *chosen):
        try:
            bind(port).close()
        except OSError:
            continue
        return port
    raise DevError("no free port on this machine")
