"""Commands of this agent that change something: if the agent is killed, the next one finds those that still run.

A pull is ended: nothing waits for it, it would run beside the next pull, and Anka keeps what was downloaded. All others
are waited for, because a command that is cut off leaves a half-made VM. They are ended only if they take too long: a
late effect must not come between the steps of the next agent.
"""

import asyncio
import contextlib
import fcntl
import logging
import os
import signal
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

from anka_agent.lock import is_free

log = logging.getLogger(__name__)

GRACE_SECONDS = 2.0
WAIT_SECONDS = 10.0
"""Longest wait for such a command. The agent does nothing else meanwhile."""
PULL = "registry pull"
POLL_SECONDS = 0.05


class Leftovers:
    """A file for each such command, with its process id and name. The command inherits a lock on the file: while the
    lock is held, the process id belongs to no other process."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._begun = 0

    @contextlib.asynccontextmanager
    async def record(self) -> AsyncIterator[int | None]:
        """A descriptor that the command inherits while it runs. None if the disk refuses: a command of a killed agent
        is then not found again."""
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
        """Wait until no command of an earlier agent runs; returns how many did. Raises nothing."""
        files = sorted(self._directory.glob("*")) if self._directory.is_dir() else []
        return sum(await asyncio.gather(*(self._end(path) for path in files)))

    async def _end(self, path: Path) -> bool:
        try:
            file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except OSError as error:
            log.warning("the record of a command cannot be read: %s", error)
            return False
        try:
            if is_free(file):
                _forget(path)
                return False
            pid, _, command = os.read(file, 100).decode("ascii", "replace").partition(" ")
            left = LeftoverCommand(file, int(pid) if pid.isdecimal() else None, command)
            over = await (left.end() if command == PULL else left.wait())
            if over:
                _forget(path)
            return over
        finally:
            os.close(file)


@dataclass(frozen=True)
class LeftoverCommand:
    """A command that outlived its agent. `pid` None: the agent was killed between the command's start and its
    record."""

    lock: int
    pid: int | None
    command: str

    async def end(self) -> bool:
        """End it with all that it started; returns whether it has ended."""
        if self.pid is None:
            return False
        log.warning("ending a pull of an earlier agent", extra={"process_group": self.pid})
        return await self._signal(os.killpg, self.pid)

    async def wait(self) -> bool:
        """Wait for it to end by itself, but not for ever; returns whether it has."""
        name = self.command or "a command"
        log.warning("waiting for anka %s of an earlier agent", name, extra={"pid": self.pid})
        if await self._over(WAIT_SECONDS):
            return True
        if self.pid is None:
            log.error("%s of an earlier agent still runs, and its process is not known", name)
            return False
        log.warning("ending anka %s of an earlier agent", name, extra={"pid": self.pid})
        # The process alone: a command may have started a VM.
        return await self._signal(os.kill, self.pid)

    async def _signal(self, send: Callable[[int, int], None], pid: int) -> bool:
        """Ask it to end, then force it; returns whether it has ended."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                send(pid, number)
            if await self._over(GRACE_SECONDS):
                return True
        return False

    async def _over(self, seconds: float) -> bool:
        """Whether it ends within `seconds`. A process that it started may have inherited the lock."""
        for _ in range(int(seconds / POLL_SECONDS)):
            if is_free(self.lock) or (self.pid is not None and not _lives(self.pid)):
                return True
            await asyncio.sleep(POLL_SECONDS)
        return False


def note(lock: int, pid: int, command: str) -> None:
    """Record the process that has inherited the lock, the leader of a group of its own."""
    with contextlib.suppress(OSError):
        os.pwrite(lock, f"{pid} {command}".encode(), 0)


def _forget(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink()


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
