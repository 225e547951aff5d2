"""A simulated Mac host with Anka: the `anka` command over a directory, with VMs that really answer SSH.

`create` makes a Mac, `install` puts an `anka` command for it into a directory of executables.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:  # imported by every `anka` call, so nothing here may cost start-up time
    from collections.abc import Mapping
    from typing import Any


def create(home: str | os.PathLike[str], config: Mapping[str, Any] | None = None) -> str:
    """Make (or reconfigure) the Mac in this directory; `config` overrides `settings.DEFAULTS`. Returns its path."""
    from anka_dev.mac.store import write_json

    path = os.path.abspath(os.fspath(home))
    os.makedirs(path, mode=0o700, exist_ok=True)
    write_json(os.path.join(path, "config.json"), dict(config or {}))
    return path


def install(bin_dir: str | os.PathLike[str], home: str | os.PathLike[str], python: str | None = None) -> str:
    """Write an executable `anka` for the Mac in `home`; returns its path. `python` needs our dev packages."""
    import shlex
    import sys

    entry = os.path.join(os.path.dirname(os.path.abspath(__file__)), "entry.py")
    os.makedirs(bin_dir, exist_ok=True)
    path = os.path.join(os.path.abspath(os.fspath(bin_dir)), "anka")
    temporary = f"{path}.{os.getpid()}.tmp"
    with open(temporary, "w", encoding="utf-8") as file:
        file.write(
            "#!/bin/sh\n"
            f"ANKA_SIM_HOME={shlex.quote(os.path.abspath(os.fspath(home)))}\n"
            "export ANKA_SIM_HOME\n"
            f'exec {shlex.quote(python or sys.executable)} -I -S {shlex.quote(entry)} "$@"\n'
        )
    os.chmod(temporary, 0o755)
    os.replace(temporary, path)
    return path


def power_off(home: str | os.PathLike[str]) -> None:
    """End the Mac's daemon, and with it every VM that runs. Harmless when none does."""
    from anka_dev.mac.daemon import DaemonHypervisor

    DaemonHypervisor(os.fspath(home)).power_off()
