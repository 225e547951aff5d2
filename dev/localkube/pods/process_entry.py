"""The entry of a container that is a plain process: gives it its ServiceAccount and names of Services, then runs it.

    python -m localkube.pods.process_entry HOOK TOKEN_FOLDER NAMES_FILE COMMAND [ARGUMENT…]

A process without root can neither mount nor have a DNS server of its own. So names of Services are looked up in a
file; and HOOK, ``module:function`` or ``-``, tells the program where its ServiceAccount is: it is called with the
command's name and that folder before the command begins.
"""

from __future__ import annotations

import importlib
import json
import socket
import sys
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from localkube.pods.runtime import NO_HOOK


def resolve_from(names: Path) -> None:
    """Look names of Services up in the file ``names`` ({name: addresses}); others as before."""
    before = socket.getaddrinfo

    def getaddrinfo(host: Any, port: Any, *args: Any, **options: Any) -> list[Any]:
        known: dict[str, list[str]] = json.loads(names.read_text()) if names.exists() else {}
        if host not in known:
            return before(host, port, *args, **options)
        if not known[host]:
            raise socket.gaierror(socket.EAI_NONAME, f"no endpoint of {host} is ready")
        return [found for address in known[host] for found in before(address, port, *args, **options)]

    socket.getaddrinfo = getaddrinfo


def run_hook(hook: str, command: str, token: Path) -> None:
    """Call ``module:function`` with the command and the ServiceAccount's folder."""
    if hook != NO_HOOK:
        module, _, function = hook.partition(":")
        getattr(importlib.import_module(module), function)(command, token)


def main(hook: str, token: str, names: str, command: str, *arguments: str) -> None:
    """Become the command: a console script of this environment, or ``python -c``."""
    resolve_from(Path(names))
    if command == "python" and arguments[:1] == ("-c",):
        sys.argv = ["-c", *arguments[2:]]
        exec(compile(arguments[1], "<container>", "exec"), {"__name__": "__main__"})
        return
    found = list(entry_points(group="console_scripts", name=command))
    if not found:
        sys.exit(f"there is no command {command} here")
    run_hook(hook, command, Path(token))
    sys.argv = [command, *arguments]
    sys.exit(found[0].load()())


if __name__ == "__main__":
    main(*sys.argv[1:])
