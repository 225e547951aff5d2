"""Runs buildah with a store of its own: the user's images are never touched."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from anka_dev.image.errors import failure


def missing() -> str | None:
    """Why this machine cannot build images; None when it can."""
    lacking = [tool for tool in ("buildah", "debootstrap") if shutil.which(tool, path=tools_path()) is None]
    if lacking:
        return f"no {' and no '.join(lacking)} here (Debian: apt-get install {' '.join(lacking)})"
    return None if os.geteuid() == 0 else "chroots need root"


def tools_path() -> str:
    """PATH with the folders for administrators, where debootstrap is."""
    return f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"


@dataclass(frozen=True)
class Buildah:
    """`store`: directory for images and containers."""

    store: Path

    def run(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a command to its end. With `check`, DevError with its last lines when it fails: NoNetwork without
        network."""
        done = subprocess.run(
            ["buildah", f"--root={self.store / 'root'}", f"--runroot={self.store / 'run'}", *arguments],
            env={**os.environ, "BUILDAH_ISOLATION": "chroot", "PATH": tools_path()},
            capture_output=True,
            text=True,
            check=False,
        )
        if check and done.returncode:
            output = f"{done.stdout}\n{done.stderr}".strip() or f"exit code {done.returncode}"
            raise failure(f"buildah {arguments[0]}", output, lines=3)
        return done

    def begin(self, image: str) -> str:
        """Create a container of this image; returns its name."""
        return self.run("from", image).stdout.strip()

    def inside(self, container: str, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command in it, as the image's user."""
        return self.run("run", container, "--", *command, check=False)

    def has(self, image: str) -> bool:
        return self.run("inspect", "--type=image", image, check=False).returncode == 0

    def id(self, image: str) -> str:
        """The image's content id. DevError when there is no such image."""
        return self.run("inspect", "--type=image", "--format={{.FromImageID}}", image).stdout.strip()

    def config(self, image: str) -> dict[str, Any]:
        """The image's OCI configuration: Env, Entrypoint, Cmd, User, WorkingDir."""
        found: dict[str, Any] = json.loads(self.run("inspect", "--type=image", image).stdout)["OCIv1"]["config"]
        return found

    def size(self, image: str) -> int:
        """The image's size in bytes, with its base."""
        words: Sequence[str] = self.run("images", "--format={{.Size}}", image).stdout.split()
        units = {"B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9}
        return int(float(words[0]) * units[words[1].upper()])
