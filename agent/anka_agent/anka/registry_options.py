"""Options by which `anka registry` logs in (docs/operate/registry.md). Pure.

Each value is a name or a path, never a secret: who lists processes sees the command line.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


class RegistryFiles(Protocol):
    """As the settings have them."""

    registry_url: str | None
    registry_ca_file: Path | None
    registry_cert_file: Path | None
    registry_key_file: Path | None
    registry_api_key_id: str | None
    registry_api_key_file: Path | None


@dataclass(frozen=True, slots=True)
class RegistryOptions:
    """`url`: the only registry that these are for. Another one, which an instance may name, must learn nothing: with a
    key, even a login gives it a session of ours."""

    url: str | None = None
    words: tuple[str, ...] = ()

    def choose(self, remote: str | None) -> tuple[str, ...]:
        """For a command that is to reach `remote`; None: the registry that `anka` itself has stored."""
        return self.words if self.url is not None and remote is not None and remote.rstrip("/") == self.url else ()


def make_options(files: RegistryFiles) -> RegistryOptions:
    given: Mapping[str, Path | str | None] = {
        "--api-key-id": files.registry_api_key_id,
        "--api-key": files.registry_api_key_file,
        "--cert": files.registry_cert_file,
        "--key": files.registry_key_file,
        "--cacert": files.registry_ca_file,
    }
    words = [
        word
        for option, value in given.items()
        if value is not None
        for word in (option, str(value.absolute()) if isinstance(value, Path) else value)
    ]
    return RegistryOptions(files.registry_url, tuple(words))
