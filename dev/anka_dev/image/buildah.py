"""Runs buildah with a store of our own, so that what a user has is never touched."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from anka_dev.errors import DevError


def missing() -> str | None:
    """Why no image can be built here; None when it can."""
    lacking = [tool for tool in ("buildah", "debootstrap") if shutil.which(tool, path=_path()) is None]
    if lacking:
        return f"no {' and no '.join(lacking)} here (Debian: apt-get install {' '.join(lacking)})"
    return None if os.geteuid() == 0 else "chroots need root"


def _path() -> str:
    # debootstrap is for administrators: not in everybody's PATH.
    return f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"


@dataclass(frozen=True)
class Buildah:
    """`store`: directory for images and containers."""

    store: Path

    def run(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """One command to its end. DevError with the end of what it said when it fails and `check` is set."""
        done = subprocess.run(
            ["buildah", f"--root={self.store / 'root'}", f"--runroot={self.store / 'run'}", *arguments],
            env={**os.environ, "BUILDAH_ISOLATION": "chroot", "PATH": _path()},
            capture_output=True,
            text=True,
            check=False,
        )
        if check and done.returncode:
            said = "; ".join((done.stderr or done.stdout).strip().splitlines()[-3:])
            raise DevError(f"buildah {arguments[0]} failed: {said or f'exit code {done.returncode}'}")
        return done

    def begin(self, image: str) -> str:
        """A container of this image; its name."""
        return self.run("from", image).stdout.strip()

    def inside(self, container: str, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command in it, as the image's user."""
        return self.run("run", container, "--", *command, check=False)

    def has(self, image: str) -> bool:
        return self.run("inspect", "--type=image", image, check=False).returncode == 0

    def id(self, image: str) -> str:
        """Of its content. DevError when there is no such image."""
        return self.run("inspect", "--type=image", "--format={{.FromImageID}}", image).stdout.strip()

    def config(self, image: str) -> dict[str, Any]:
        """What the image says of how it is run, as in OCI."""
        found: dict[str, Any] = json.loads(self.run("inspect", "--type=image", image).stdout)["OCIv1"]["config"]
        return found

    def size(self, image: str) -> int:
        """In bytes, with its base."""
        words: Sequence[str] = self.run("images", "--format={{.Size}}", image).stdout.split()
        units = {"B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9}
        return int(float(words[0]) * units[words[1].upper()])
