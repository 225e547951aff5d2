"""Free loopback ports."""

import contextlib
import json
import socket
from pathlib import Path

from anka_dev.controlplane.commands import HOST, Ports


def _bind(port: int) -> socket.socket:
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        # As the components themselves do: a port with closed connections in TIME_WAIT is free.
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((HOST, port))
    except OSError:
        bound.close()
        raise
    return bound


def pick() -> Ports:
    """Three different ports that nobody listens on now."""
    with contextlib.ExitStack() as stack:
        # All three are held until all are known, or the same one could come twice.
        return Ports(*(stack.enter_context(_bind(0)).getsockname()[1] for _ in range(3)))


def _free(ports: Ports) -> bool:
    try:
        for port in (ports.api, ports.etcd_client, ports.etcd_peer):
            _bind(port).close()
    except OSError:
        return False
    return True


def remembered(file: Path) -> Ports:
    """The ports of the last run as kept in ``file`` if they are free, so that kubeconfigs stay true; else new ones.

    What is returned is kept in ``file``.
    """
    ports = None
    with contextlib.suppress(FileNotFoundError, ValueError, TypeError):
        ports = Ports(**json.loads(file.read_text()))
    if ports is None or not _free(ports):
        ports = pick()
    file.write_text(json.dumps(vars(ports)))
    return ports
