"""A lock file between processes, freed by the kernel when its holder dies."""

import contextlib
import fcntl
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from localkube.errors import DevError


def _acquire(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextlib.contextmanager
def hold_lock(
    path: Path, *, timeout: float, on_wait: Callable[[str, float], None], busy: str, interval: float = 0.2
) -> Iterator[int]:
    """Hold the lock; yields its file descriptor.

    ``on_wait(holder's pid, seconds waited)`` is called at each try that finds it taken. After ``timeout`` seconds
    DevError says ``busy`` with ``{pid}`` filled in.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        start = time.monotonic()
        # flock has no timeout, and a thread that blocks in it cannot be cancelled: so it is polled.
        while not _acquire(fd):
            holder = os.pread(fd, 20, 0).decode(errors="replace").strip() or "unknown"
            seconds = time.monotonic() - start
            if seconds > timeout:
                raise DevError(busy.format(pid=holder))
            on_wait(holder, seconds)
            time.sleep(interval)
        os.ftruncate(fd, 0)
        os.pwrite(fd, f"{os.getpid()}\n".encode(), 0)
        yield fd
    finally:
        os.close(fd)
