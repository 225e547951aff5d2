"""What `join` writes for `run` to find, in the state directory: settings, kubeconfig, token, certificate authority."""

import argparse
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from anka_agent.settings import default_state_dir
from anka_runtime.files import write_private


class Files:
    def __init__(self, directory: Path) -> None:
        self.settings = directory / "agent.json"
        self.kubeconfig = directory / "kubeconfig"
        self.token = directory / "token"
        self.pending = directory / "joining.json"
        """The record of a join that has not finished."""

    @property
    def is_joined(self) -> bool:
        return self.settings.exists()

    def write(self, settings: Mapping[str, Any], kubeconfig: str, token: str) -> None:
        """The settings come last: with them this Mac has joined."""
        write_private(self.token, token)
        write_private(self.kubeconfig, kubeconfig)
        write_private(self.settings, json.dumps(settings, indent=2) + "\n")
        self.pending.unlink(missing_ok=True)

    def remove(self) -> None:
        for file in (self.settings, self.kubeconfig, self.token, self.pending):
            file.unlink(missing_ok=True)


def state_dir(argv: Sequence[str], environ: Mapping[str, str] = os.environ) -> Path:
    """Where the settings are, before they are read: the flag, the environment, or the default."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    parser.add_argument("--state-dir")
    try:
        given = parser.parse_known_args(list(argv))[0].state_dir
    except argparse.ArgumentError:
        # A flag without its value: the parser of all flags reports it.
        given = None
    given = given or environ.get("ANKA_STATE_DIR")
    return Path(given) if given else default_state_dir()
