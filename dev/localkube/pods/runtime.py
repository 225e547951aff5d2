"""What starts the process of a container."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from localkube.pods import spec

NO_HOOK = "-"
"""A container's process that needs no preparation: see ``process_entry``."""


@dataclass(frozen=True)
class PodSandbox:
    """A pod of one container with what it gets here: ``volumes`` are folders by volume name, ``folder`` is the pod's
    own, ``address`` is where it listens, ``fields`` are the values of field references."""

    manifest: Mapping[str, Any]
    fields: Mapping[str, str]
    data: spec.Data
    volumes: Mapping[str, Path]
    folder: Path
    address: str

    @property
    def container(self) -> Mapping[str, Any]:
        """Its only container."""
        found: Mapping[str, Any] = self.manifest["spec"]["containers"][0]
        return found

    @property
    def name(self) -> str:
        """The pod's name."""
        return str(self.manifest["metadata"]["name"])

    @property
    def namespace(self) -> str:
        """The pod's namespace."""
        return str(self.manifest["metadata"]["namespace"])


class Runtime(Protocol):
    """A way to start containers."""

    def argv(self, pod: PodSandbox, env: Mapping[str, str]) -> list[str]:
        """The command line that becomes the container's process; ``env`` is what the cluster adds to its variables.

        ValueError for what this runtime does not support."""
        ...
