"""Free loopback ports."""

import contextlib
import json
from pathlib import Path

from localkube.controlplane.commands import Ports
from localkube.free_ports import bind, free_port


def pick() -> Ports:
    """Three different ports that are free now."""
    found: set[int] = set()
    while len(found) < 3:
        found.add(free_port())
    return Ports(*found)


def _free(ports: Ports) -> bool:
    try:
        for port in (ports.api, ports.etcd_client, ports.etcd_peer):
            bind(port).close()
    except OSError:
        return False
    return True


def load_or_pick(file: Path) -> Ports:
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
