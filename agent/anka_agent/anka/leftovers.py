"""Commands that take minutes and belong to this agent: found again by the next one, if it was killed, and ended.

A pull that nobody waits for would go on beside the one that the next agent begins, and its progress would be nobody's.
Anka keeps what was downloaded, so that the next pull goes on with it.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import logging
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

log = logging.getLogger(__name__)

GRACE_SECONDS = 2.0
POLL_SECONDS = 0.05


class Leftovers:
    """A file for each such command, with its process group. The command inherits a lock on it: as long as any process
    of the group lives, the lock is held and the number is no other group's."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._begun = 0

    @contextlib.asynccontextmanager
    async def record(self) -> AsyncIterator[int | None]:
        """A descriptor that the command is to inherit, while it runs; None where the disk refuses: then a command of an
        agent that is killed goes on by itself."""
        self._begun += 1
        path = self._directory / f"{os.getpid()}-{self._begun}"
        try:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        except OSError as error:
            log.warning("a command is not recorded: %s", error)
            yield None
            return
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield lock
        finally:
            os.close(lock)
            _forget(path)

    async def end(self) -> int:
        """End all that an agent before this one left behind; how many there were. Raises nothing."""
        ended = 0
        for path in sorted(self._directory.glob("*")) if self._directory.is_dir() else []:
            if await self._end(path):
                ended += 1
        return ended

    async def _end(self, path: Path) -> bool:
        try:
            file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except OSError as error:
            log.warning("the record of a command cannot be read: %s", error)
            return False
        try:
            if _free(file):
                _forget(path)
                return False
            group = os.read(file, 20).decode("ascii", "replace")
            if not group.isdecimal():
                # Killed between its start and this record: nothing says which process it is.
                log.warning("a pull of the agent before this one goes on by itself")
                return False
            log.warning("ending a pull of the agent before this one", extra={"process_group": int(group)})
            for number in (signal.SIGTERM, signal.SIGKILL):
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(int(group), number)
                if await _freed(file):
                    _forget(path)
                    return True
            return False
        finally:
            os.close(file)


def note(lock: int, group: int) -> None:
    """Which process group has inherited the lock."""
    with contextlib.suppress(OSError):
        os.pwrite(lock, str(group).encode(), 0)


def _forget(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink()


def _free(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


async def _freed(file: int) -> bool:
    for _ in range(int(GRACE_SECONDS / POLL_SECONDS)):
        if _free(file):
            return True
        await asyncio.sleep(POLL_SECONDS)
    return False
