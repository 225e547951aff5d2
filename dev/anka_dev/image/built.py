"""The image of this working copy: built once for what goes into it, and laid out as a folder to run containers from.

One image is kept, that of the newest content, and older ones as long as somebody uses them. Several processes may ask
at the same time: one builds, the others wait for it.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from anka_dev.controlplane.filelock import locked
from anka_dev.controlplane.progress import Heartbeat, Say
from anka_dev.errors import DevError
from anka_dev.image.build import BASE, ROOT, build, ensure_base
from anka_dev.image.buildah import Buildah

NAME = "localhost/anka-cloud"
NOT_INSIDE = ("__pycache__", ".egg-info")
_KEY_LETTERS = 16
_PATIENCE_SECONDS = 900.0


@dataclass(frozen=True)
class Image:
    """``root``: its file system, which nobody changes; ``config``: Env, Entrypoint, Cmd, User, WorkingDir as in OCI."""

    name: str
    root: Path
    config: Mapping[str, Any]


@contextlib.contextmanager
def built(tool: Buildah, say: Say) -> Iterator[Image]:
    """The image of the files as they are now, kept as long as this is open. DevError says what failed."""
    folders = tool.store / "unpacked"
    with _alone(tool, say):
        ensure_base(tool, say)
        key = content_key(ROOT, tool.id(BASE))
        folder, image = folders / key, f"{NAME}:{key}"
        if not (folder.is_dir() and tool.has(image)):
            build(tool, image, say)
            _unpack(tool, image, folder)
        held = _hold(folders, key)
        _forget_others(tool, folders, key)
    try:
        yield Image(image, folder / "root", json.loads((folder / "config.json").read_text()))
    finally:
        os.close(held)


def content_key(root: Path, base: str) -> str:
    """Of all that goes into the image: files that ``.dockerignore`` lets through, how they are built, and on what."""
    told = hashlib.sha256(base.encode())
    for path in _files(root):
        told.update(f"\0{path.relative_to(root)}\0{path.stat().st_mode & 0o111}\0".encode())
        told.update(hashlib.sha256(path.read_bytes()).digest())
    return told.hexdigest()[:_KEY_LETTERS]


def _files(root: Path) -> list[Path]:
    ignore = root / ".dockerignore"
    through = [root / line[1:] for line in ignore.read_text().splitlines() if line.startswith("!")]
    found = {ignore, root / "Dockerfile"}
    for top in through:
        found.update([top] if top.is_file() else (path for path in top.rglob("*") if path.is_file()))
    return sorted(path for path in found if not any(part.endswith(NOT_INSIDE) for part in path.relative_to(root).parts))


@contextlib.contextmanager
def _alone(tool: Buildah, say: Say) -> Iterator[None]:
    heartbeat = Heartbeat(say)
    with locked(
        tool.store / "lock",
        patience=_PATIENCE_SECONDS,
        waiting=lambda pid, _: heartbeat.beat(f"waiting for process {pid}, which builds an image"),
        busy="process {pid} has been building an image for too long; end it, and try again",
    ):
        yield


def _unpack(tool: Buildah, image: str, folder: Path) -> None:
    """A copy rather than a mount: a mount would outlive whoever is killed."""
    fresh = folder.with_suffix(".new")
    shutil.rmtree(fresh, ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)
    fresh.mkdir(parents=True)
    container = tool.begin(image)
    try:
        mounted = tool.run("mount", container).stdout.strip()
        done = subprocess.run(["cp", "-a", mounted, str(fresh / "root")], capture_output=True, text=True, check=False)
        if done.returncode:
            raise DevError(f"{image} cannot be unpacked: {done.stderr.strip()}")
    finally:
        tool.run("umount", container, check=False)
        tool.run("rm", container, check=False)
    (fresh / "config.json").write_text(json.dumps(tool.config(image)))
    fresh.rename(folder)


def _hold(folders: Path, key: str) -> int:
    """A file descriptor; until it is closed nobody removes this image."""
    fd = os.open(folders / f"{key}.used", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(fd, fcntl.LOCK_SH)
    return fd


def _forget_others(tool: Buildah, folders: Path, key: str) -> None:
    for used in folders.glob("*.used"):
        if used.stem == key:
            continue
        with used.open() as held:
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            # With containers that somebody left who was killed.
            tool.run("rmi", "--force", f"{NAME}:{used.stem}", check=False)
            shutil.rmtree(folders / used.stem, ignore_errors=True)
            used.unlink()
