"""Ports of this machine for servers that are started later."""

import random
import socket
import sys
from collections import deque

from localkube.errors import DevError

HOST = "127.0.0.1"
FIRST, LAST = 20_000, 32_767
"""Below those that systems give to outgoing connections (Linux from 32768, macOS from 49152): one of these can be taken
between the choice of a port and the start of its server."""
TRIES = 100
_HELD = 64
"""More than are chosen before the servers of the first of them have started."""
_held: deque[socket.socket] = deque(maxlen=_HELD)


def bind(port: int) -> socket.socket:
    """As servers do. Raises OSError for a port that is taken."""
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        # A port with closed connections in TIME_WAIT is free.
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((HOST, port))
    except OSError:
        bound.close()
        raise
    return bound


def free_port(preferred: int = 0) -> int:
    """`preferred` if it is free, else any port that is free now, by chance, and that no other call has returned while
    its server may still be starting: in whichever process (on Linux), as tests run in several. Raises DevError."""
    if preferred:
        try:
            bind(preferred).close()
        except OSError:
            pass
        else:
            return preferred
    for port in (random.randint(FIRST, LAST) for _ in range(TRIES)):
        try:
            _hold(port)
        except OSError:
            continue
        return port
    raise DevError("no free port on this machine")


def _hold(port: int) -> None:
    """Bind it, so that nobody else can who asks as strictly. Servers ask less strictly, and can: nobody listens there.
    Raises OSError for a port that is taken or held."""
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        bound.bind((HOST, port))
    except OSError:
        bound.close()
        raise
    if sys.platform != "linux":
        # Elsewhere one socket of an address is the most there can be, whatever its options.
        bound.close()
        return
    # Only now: with this option from the start, it would share the port with another that is held.
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    _held.append(bound)
