"""Commands that change something and belong to this agent: if it is killed, the next one finds those that go on.

A pull is ended: nobody waits for it, it would go on beside the next one, and Anka keeps what was downloaded. All others
are waited for, since one that is cut off leaves a VM half made, and only ended when they take long: what they do late
must not come between the steps of the agent that is there by then.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import logging
import os
import signal
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

log = logging.getLogger(__name__)

GRACE_SECONDS = 2.0
WAIT_SECONDS = 10.0
"""For commands that are waited for. The agent does nothing else meanwhile, and rarely has to."""
PULL = "registry pull"
POLL_SECONDS = 0.05


class Leftovers:
    """A file for each such command, with its process and name. The command inherits a lock on it: as long as the lock
    is held the number is no other process's."""

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
        """Return when none of an agent before this one goes on; how many there were. Raises nothing."""
        files = sorted(self._directory.glob("*")) if self._directory.is_dir() else []
        return sum(await asyncio.gather(*(self._end(path) for path in files)))

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
            pid, _, command = os.read(file, 100).decode("ascii", "replace").partition(" ")
            left = Left(file, int(pid) if pid.isdecimal() else None, command)
            over = await (left.end() if command == PULL else left.wait())
            if over:
                _forget(path)
            return over
        finally:
            os.close(file)


@dataclass(frozen=True)
class Left:
    """A command that went on when its agent was killed. `pid` None: the agent was killed between its start and the
    record."""

    lock: int
    pid: int | None
    command: str

    async def end(self) -> bool:
        """With all that it started. Whether it is over."""
        if self.pid is None:
            return False
        log.warning("ending a pull of the agent before this one", extra={"process_group": self.pid})
        return await self._signalled(os.killpg, self.pid)

    async def wait(self) -> bool:
        """For its own end, but not for ever. Whether it is over."""
        name = self.command or "a command"
        log.warning("waiting for anka %s of the agent before this one", name, extra={"pid": self.pid})
        if await self._over(WAIT_SECONDS):
            return True
        if self.pid is None:
            log.error("%s of the agent before this one goes on, and its process is not known", name)
            return False
        log.warning("ending anka %s of the agent before this one", name, extra={"pid": self.pid})
        # It alone: what a command leaves behind may be a VM.
        return await self._signalled(os.kill, self.pid)

    async def _signalled(self, send: Callable[[int, int], None], pid: int) -> bool:
        """Asked to end, then made to. Whether it is over."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                send(pid, number)
            if await self._over(GRACE_SECONDS):
                return True
        return False

    async def _over(self, seconds: float) -> bool:
        """Whether it ends within so many seconds. A process that it left behind may have inherited the lock."""
        for _ in range(int(seconds / POLL_SECONDS)):
            if _free(self.lock) or (self.pid is not None and not _lives(self.pid)):
                return True
            await asyncio.sleep(POLL_SECONDS)
        return False


def note(lock: int, pid: int, command: str) -> None:
    """Which process, the leader of a group of its own, has inherited the lock."""
    with contextlib.suppress(OSError):
        os.pwrite(lock, f"{pid} {command}".encode(), 0)


def _forget(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink()


def _free(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
