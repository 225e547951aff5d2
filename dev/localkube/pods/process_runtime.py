"""Containers as plain processes of this virtual environment, for machines that can neither build images nor mount."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from localkube.pods import spec
from localkube.pods.runtime import NO_HOOK, PodSandbox


@dataclass(frozen=True)
class ProcessRuntime:
    """``names`` is the file with names of Services, ``hook`` a function that prepares the program: see
    ``process_entry``. Security contexts are ignored."""

    names: Path
    hook: str = NO_HOOK

    def argv(self, pod: PodSandbox, env: Mapping[str, str]) -> list[str]:
        """Paths of mounts in command and environment are replaced by the folders of the volumes."""
        places = {path: str(pod.volumes[name]) for path, name in spec.mounts(pod.container).items()}
        env = {
            "PATH": os.environ["PATH"],
            "PYTHONUNBUFFERED": "1",
            **env,
            **({"TMPDIR": places["/tmp"]} if "/tmp" in places else {}),
            **spec.environment(pod.container, pod.fields, pod.data),
        }
        words = spec.command(pod.container, env)
        token = places.get(spec.TOKEN_FOLDER, str(pod.folder / "no-token"))
        return [
            "env", "-i", *(f"{name}={spec.relocate(value, places)}" for name, value in env.items()),
            sys.executable, "-m", "localkube.pods.process_entry", self.hook, token, str(self.names),
            *(spec.relocate(word, places) for word in words),
        ]  # fmt: skip
