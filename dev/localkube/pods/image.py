"""A container image, unpacked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class ContainerImage:
    """``root``: its file system, never written to; ``config``: Env, Entrypoint, Cmd, User, WorkingDir as in OCI."""

    name: str
    root: Path
    config: Mapping[str, Any]
