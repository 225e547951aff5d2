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
    from anka_sim.mac.store import write_json

    path = os.path.abspath(os.fspath(home))
    os.makedirs(path, mode=0o700, exist_ok=True)
    write_json(os.path.join(path, "config.json"), dict(config or {}))
    return path


def install(bin_dir: str | os.PathLike[str], home: str | os.PathLike[str], python: str | None = None) -> str:
    """Write an executable `anka` for the Mac in `home`, and its `ioreg`; returns the path of `anka`. `python` needs our
    dev packages."""
    import shlex
    import sys

    from anka_sim.mac.files import replace_file

    entry = os.path.join(os.path.dirname(os.path.abspath(__file__)), "entry.py")
    os.makedirs(bin_dir, exist_ok=True)
    where = os.path.abspath(os.fspath(bin_dir))
    place = os.path.abspath(os.fspath(home))
    uuid_line = f'    "IOPlatformUUID" = "{hardware_uuid(place)}"'
    replace_file(os.path.join(where, "ioreg"), f"#!/bin/sh\necho {shlex.quote(uuid_line)}\n", 0o755)
    path = os.path.join(where, "anka")
    replace_file(
        path,
        "#!/bin/sh\n"
        f"ANKA_SIM_HOME={shlex.quote(place)}\n"
        "export ANKA_SIM_HOME\n"
        f'exec {shlex.quote(python or sys.executable)} -I -S {shlex.quote(entry)} "$@"\n',
        0o755,
    )
    return path


def hardware_uuid(home: str) -> str:
    """The folder is the machine: a copy of it is another Mac with the same disk."""
    from uuid import NAMESPACE_URL, uuid5

    return str(uuid5(NAMESPACE_URL, os.path.realpath(home))).upper()


def power_off(home: str | os.PathLike[str]) -> None:
    """End the Mac's daemon, and with it every VM that runs. Harmless when none does."""
    from anka_sim.mac.daemon import DaemonHypervisor

    DaemonHypervisor(os.fspath(home)).power_off()
