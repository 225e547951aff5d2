"""One agent for each directory: two on one Mac would remove each other's VMs."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

FILE = "agent.lock"


class LockError(Exception):
    """The directory can't be used; str() is one line that says what to do."""


@contextlib.contextmanager
def hold(directory: Path) -> Iterator[None]:
    """Hold the directory's lock; the file says who does. Raises LockError."""
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(directory / FILE, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise LockError(f"--state-dir {directory} cannot be used: {error.strerror}") from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        raise LockError(f"another agent uses --state-dir {directory}: stop it, or choose another") from None
    try:
        os.truncate(lock, 0)
        os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(lock)


def holder(directory: Path) -> int | None:
    """Process id of the agent that runs with this directory; None when none does."""
    try:
        lock = os.open(directory / FILE, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        text = os.pread(lock, 32, 0).decode().strip()
        return int(text) if text.isdecimal() else None
    finally:
        os.close(lock)
    return None
