"""The image of this working copy: built once for its content, and unpacked into a folder to run containers from.

The image of the newest content is kept, and older ones as long as a process uses them. Of several processes that need
it at the same time, one builds and the others wait.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from anka_dev.image.build import BASE, build, ensure_base
from anka_dev.image.buildah import Buildah
from anka_dev.repository import ROOT
from localkube.errors import DevError
from localkube.filelock import hold_lock
from localkube.pods.image import ContainerImage
from localkube.progress import Heartbeat, Say

NAME = "localhost/anka-cloud"
NOT_INSIDE = ("__pycache__", ".egg-info")
_KEY_LETTERS = 16
_TIMEOUT_SECONDS = 900.0


@contextlib.contextmanager
def open_image(tool: Buildah, say: Say) -> Iterator[ContainerImage]:
    """The image of the files as they are now, kept as long as this context is open. DevError says what failed."""
    folders = tool.store / "unpacked"
    with _exclusive(tool, say):
        ensure_base(tool, say)
        key = content_key(ROOT, tool.id(BASE))
        folder, image = folders / key, f"{NAME}:{key}"
        if not (folder.is_dir() and tool.has(image)):
            build(tool, image, say)
            _unpack(tool, image, folder)
        lock = _hold(folders, key)
        _remove_others(tool, folders, key)
    try:
        yield ContainerImage(image, folder / "root", json.loads((folder / "config.json").read_text()))
    finally:
        os.close(lock)


def content_key(root: Path, base: str) -> str:
    """A key of the files that ``.dockerignore`` lets through, how they are built, and on which base."""
    digest = hashlib.sha256(base.encode())
    for path in _files(root):
        digest.update(f"\0{path.relative_to(root)}\0{path.stat().st_mode & 0o111}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:_KEY_LETTERS]


def _files(root: Path) -> list[Path]:
    ignore = root / ".dockerignore"
    through = [root / line[1:] for line in ignore.read_text().splitlines() if line.startswith("!")]
    found = {ignore, root / "Dockerfile"}
    for top in through:
        found.update([top] if top.is_file() else (path for path in top.rglob("*") if path.is_file()))
    return sorted(path for path in found if not any(part.endswith(NOT_INSIDE) for part in path.relative_to(root).parts))


@contextlib.contextmanager
def _exclusive(tool: Buildah, say: Say) -> Iterator[None]:
    heartbeat = Heartbeat(say)
    with hold_lock(
        tool.store / "lock",
        timeout=_TIMEOUT_SECONDS,
        on_wait=lambda pid, _: heartbeat.beat(f"waiting for process {pid}, which builds an image"),
        busy="process {pid} has been building an image for too long; end it, and try again",
    ):
        yield


def _unpack(tool: Buildah, image: str, folder: Path) -> None:
    """Copy rather than mount: a mount would outlive a process that is killed."""
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
    """A file descriptor; until it is closed this image is not removed."""
    fd = os.open(folders / f"{key}.used", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(fd, fcntl.LOCK_SH)
    return fd


def _remove_others(tool: Buildah, folders: Path, key: str) -> None:
    for used in folders.glob("*.used"):
        if used.stem == key:
            continue
        with used.open() as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            # With containers that a killed process left.
            tool.run("rmi", "--force", f"{NAME}:{used.stem}", check=False)
            shutil.rmtree(folders / used.stem, ignore_errors=True)
            used.unlink()
