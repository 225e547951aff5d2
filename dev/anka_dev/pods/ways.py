"""How the process of a container is started: what both ways have in common."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from anka_dev.pods import spec


@dataclass(frozen=True)
class Pod:
    """One pod with one container, as it is to be started. ``volumes`` are folders of this machine by volume name,
    ``folder`` is the pod's own here, ``address`` where it listens."""

    manifest: Mapping[str, Any]
    known: Mapping[str, str]
    data: spec.Data
    volumes: Mapping[str, Path]
    folder: Path
    address: str

    @property
    def container(self) -> Mapping[str, Any]:
        """Its only one."""
        found: Mapping[str, Any] = self.manifest["spec"]["containers"][0]
        return found

    @property
    def name(self) -> str:
        """Of the pod."""
        return str(self.manifest["metadata"]["name"])

    @property
    def namespace(self) -> str:
        """Of the pod."""
        return str(self.manifest["metadata"]["namespace"])


class Way(Protocol):
    """What starts containers."""

    def argv(self, pod: Pod, env: Mapping[str, str]) -> list[str]:
        """The command line that becomes the container's process; ``env`` is what the cluster adds to its own.
        ValueError for what can't be had."""
        ...
