"""Inside the process of a container: what an image, a mount and the cluster's DNS would give it; then its command.

    python -m anka_dev.pods.container TOKEN_FOLDER NAMES_FILE COMMAND [ARGUMENT…]

The product knows nothing of this. Its own entry points run, with the ServiceAccount's folder elsewhere and names of
Services found in a file: a process without root can neither mount nor have a DNS server of its own.
"""

from __future__ import annotations

import asyncio
import json
import socket
import sys
from collections.abc import Sequence
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any


def resolve_from(names: Path) -> None:
    """Names of Services are those in the file ``names`` ({name: addresses}); others as before."""
    before = socket.getaddrinfo

    def getaddrinfo(host: Any, port: Any, *args: Any, **options: Any) -> list[Any]:
        known: dict[str, list[str]] = json.loads(names.read_text()) if names.exists() else {}
        if host not in known:
            return before(host, port, *args, **options)
        if not known[host]:
            raise socket.gaierror(socket.EAI_NONAME, f"no endpoint of {host} is ready")
        return [found for address in known[host] for found in before(address, port, *args, **options)]

    socket.getaddrinfo = getaddrinfo


def mount_token(folder: Path) -> None:
    """The ServiceAccount of this process is the one in ``folder``."""
    from anka_crds.kube import config

    assert config.load_endpoint.__kwdefaults__ is not None
    config.load_endpoint.__kwdefaults__["service_account"] = folder


def resolve_peers() -> None:
    """uvloop asks the C library for names: here the shim's replicas are to be found as all else is."""
    from anka_shim.cloud.peers import Peers

    async def resolve(host: str, port: int) -> Sequence[tuple[str, int]]:
        found = await asyncio.to_thread(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
        return [(str(address[0]), int(address[1])) for *_, address in found]

    defaults = Peers.__init__.__kwdefaults__
    assert defaults is not None
    defaults["resolve"] = resolve


def main(token: str, names: str, command: str, *arguments: str) -> None:
    """Becomes the command: a console script of this distribution, or ``python -c``."""
    resolve_from(Path(names))
    if command == "python" and arguments[:1] == ("-c",):
        sys.argv = ["-c", *arguments[2:]]
        exec(compile(arguments[1], "<container>", "exec"), {"__name__": "__main__"})
        return
    found = list(entry_points(group="console_scripts", name=command))
    if not found:
        sys.exit(f"there is no command {command} here")
    mount_token(Path(token))
    if command == "anka-shim":
        resolve_peers()
    sys.argv = [command, *arguments]
    sys.exit(found[0].load()())


if __name__ == "__main__":
    main(*sys.argv[1:])
