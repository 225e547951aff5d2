"""Copying and deleting directories. `shutil` would do, but its import costs as much as half a `clone`."""

from __future__ import annotations

import os
import stat

CHUNK = 1 << 20


def remove(path: str) -> None:
    """Delete a directory tree; concurrent deletion is no error."""
    for directory, folders, files in os.walk(path, topdown=False):
        for name in folders + files:
            entry = os.path.join(directory, name)
            try:
                if name in folders and not os.path.islink(entry):
                    os.rmdir(entry)
                else:
                    os.unlink(entry)
            except OSError:
                continue
    try:
        os.rmdir(path)
    except OSError:
        return


def copy(source: str, target: str) -> None:
    """Copy a directory with its modes and symbolic links; sockets and pipes that a guest left behind are skipped."""
    os.makedirs(target, exist_ok=True)
    with os.scandir(source) as entries:
        for entry in entries:
            to = os.path.join(target, entry.name)
            if entry.is_symlink():
                os.symlink(os.readlink(entry.path), to)
            elif entry.is_dir():
                copy(entry.path, to)
            elif entry.is_file():
                _copy_file(entry.path, to)
    os.chmod(target, stat.S_IMODE(os.stat(source).st_mode))


def _copy_file(source: str, target: str) -> None:
    with open(source, "rb", buffering=0) as reader, open(target, "wb", buffering=0) as writer:
        while chunk := reader.read(CHUNK):
            writer.write(chunk)
        os.fchmod(writer.fileno(), stat.S_IMODE(os.fstat(reader.fileno()).st_mode))
