"""Ports of this machine for servers that are started later."""

import fcntl
import os
import random
import socket
import tempfile
from itertools import chain
from pathlib import Path

from localkube.errors import DevError

HOST = "127.0.0.1"
FIRST, LAST = 20_000, 32_767
"""Below those that systems give to outgoing connections (Linux from 32768, macOS from 49152): one of these can be taken
between the choice of a port and the start of its server."""
TRIES = 100
CURSOR = Path(tempfile.gettempdir()) / f"localkube-ports-{os.getuid()}"
"""Where the port is that this user's processes chose last: the next choice is the next port. By chance, two processes
would now and then choose the same one before either has started its server."""


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
    """`preferred` if it is free, else the next port that is free now; nobody else is given it soon. Raises DevError."""
    for port in chain([preferred] if preferred else [], (_next_port() for _ in range(TRIES))):
        try:
            bind(port).close()
        except OSError:
            continue
        return port
    raise DevError("no free port on this machine")


def _next_port() -> int:
    """One after the other, over all processes of this user; by chance where that cannot be written down."""
    try:
        cursor = os.open(CURSOR, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError:
        return random.randint(FIRST, LAST)
    try:
        fcntl.flock(cursor, fcntl.LOCK_EX)
        text = os.pread(cursor, 20, 0).strip()
        last = int(text) if text.isdigit() else random.randint(FIRST, LAST)
        port = last + 1 if FIRST <= last < LAST else FIRST
        os.ftruncate(cursor, 0)
        os.pwrite(cursor, f"{port}\n".encode(), 0)
        return port
    except OSError:
        return random.randint(FIRST, LAST)
    finally:
        os.close(cursor)
