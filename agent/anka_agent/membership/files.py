"""What `join` writes for `run` to find, in the state directory: settings, kubeconfig, token, certificate authority."""

from __future__ import annotations

import argparse
import base64
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from anka_agent.settings import default_state_dir
from anka_crds.process.files import write_private


@dataclass(frozen=True)
class Files:
    directory: Path

    @property
    def settings(self) -> Path:
        return self.directory / "agent.json"

    @property
    def kubeconfig(self) -> Path:
        return self.directory / "kubeconfig"

    @property
    def token(self) -> Path:
        return self.directory / "token"

    @property
    def pending(self) -> Path:
        """Of a join that was begun: what was made so far."""
        return self.directory / "joining.json"

    @property
    def joined(self) -> bool:
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


def kubeconfig(server: str, token_file: Path, *, ca: bytes | None, verify: bool) -> str:
    """For the identity in `token_file`. `ca` None: the system's certificate authorities."""
    cluster: dict[str, Any] = {"server": server}
    if ca is not None:
        cluster["certificate-authority-data"] = base64.b64encode(ca).decode()
    if not verify:
        cluster["insecure-skip-tls-verify"] = True
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "anka",
        "clusters": [{"name": "anka", "cluster": cluster}],
        "users": [{"name": "agent", "user": {"tokenFile": str(token_file)}}],
        "contexts": [{"name": "anka", "context": {"cluster": "anka", "user": "agent"}}],
    }
    return yaml.safe_dump(document, sort_keys=False)


def state_dir(argv: Sequence[str], environ: Mapping[str, str] = os.environ) -> Path:
    """Where the settings are, before they are read: of the flag, the environment, or the usual place."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    parser.add_argument("--state-dir")
    try:
        given = parser.parse_known_args(list(argv))[0].state_dir
    except argparse.ArgumentError:
        # A flag without its value: whoever reads all flags says so.
        given = None
    given = given or environ.get("ANKA_STATE_DIR")
    return Path(given) if given else default_state_dir()
