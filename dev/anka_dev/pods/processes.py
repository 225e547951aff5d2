"""Containers as plain processes of this virtual environment: for machines that can neither build images nor mount."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from anka_dev.pods import spec
from anka_dev.pods.ways import Pod


@dataclass(frozen=True)
class Processes:
    """A way. ``names`` is the file with names of Services: see ``container``. Security contexts mean nothing to it."""

    names: Path

    def argv(self, pod: Pod, env: Mapping[str, str]) -> list[str]:
        """Paths in command and environment are changed to where the volumes are."""
        places = {path: str(pod.volumes[name]) for path, name in spec.mounts(pod.container).items()}
        env = {
            "PATH": os.environ["PATH"],
            "PYTHONUNBUFFERED": "1",
            **env,
            **({"TMPDIR": places["/tmp"]} if "/tmp" in places else {}),
            **spec.environment(pod.container, pod.known, pod.data),
        }
        words = spec.command(pod.container, env)
        token = places.get(spec.TOKEN_FOLDER, str(pod.folder / "no-token"))
        return [
            "env", "-i", *(f"{name}={spec.relocate(value, places)}" for name, value in env.items()),
            sys.executable, "-m", "anka_dev.pods.container", token, str(self.names),
            *(spec.relocate(word, places) for word in words),
        ]  # fmt: skip
