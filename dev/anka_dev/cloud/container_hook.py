"""Prepares our programs in a container that is a plain process: the hook of ``localkube.pods.process_entry``."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence
from pathlib import Path

HOOK = "anka_dev.cloud.container_hook:prepare"


def prepare(command: str, token: Path) -> None:
    """Let the program read its ServiceAccount from ``token``; the shim also looks up its replicas by Python."""
    use_service_account(token)
    if command == "anka-shim":
        resolve_peers()


def use_service_account(folder: Path) -> None:
    """Make ``folder`` the default place of the ServiceAccount in this process."""
    from anka_kube import config

    assert config.load_endpoint.__kwdefaults__ is not None
    config.load_endpoint.__kwdefaults__["service_account"] = folder


def resolve_peers() -> None:
    """Look up the shim's replicas by ``socket.getaddrinfo``: uvloop would ask the C library, past names of Services."""
    from anka_shim.replicas.peers import Peers

    async def resolve(host: str, port: int) -> Sequence[tuple[str, int]]:
        found = await asyncio.to_thread(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
        return [(str(address[0]), int(address[1])) for *_, address in found]

    defaults = Peers.__init__.__kwdefaults__
    assert defaults is not None
    defaults["resolve"] = resolve
