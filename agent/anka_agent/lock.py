"""One agent for each Mac, and for each state directory: two on one Mac would remove each other's VMs."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

FILE = "agent.lock"
MACHINES = Path("/var/tmp")  # noqa: S108 - not the TMPDIR of one user; and macOS empties /tmp of what is three days old


class LockError(Exception):
    """The directory can't be used; str() is one line that says what to do."""


@dataclass(frozen=True, slots=True)
class RunningAgent:
    """An agent that runs. `pid` None: it could not write its process id, or is about to."""

    pid: int | None


@contextlib.contextmanager
def hold(directory: Path) -> Iterator[None]:
    """Hold the directory's lock; the file has the process id. Raises LockError."""
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(directory / FILE, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise LockError(f"--state-dir {directory} cannot be used: {error.strerror}") from None
    with _locked(lock, f"another agent uses --state-dir {directory}: stop it, or choose another"):
        os.truncate(lock, 0)
        # On a full disk the agent must start all the same: it is what makes room.
        with contextlib.suppress(OSError):
            os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
        yield


@contextlib.contextmanager
def hold_machine(hardware_uuid: str, directory: Path = MACHINES) -> Iterator[None]:
    """Hold the lock of this machine, whichever user and state directory an agent has. Raises LockError."""
    path = directory / f"anka-agent-{hardware_uuid}.lock"
    # Everybody may write to the directory: a link there is followed nowhere.
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW
    try:
        try:
            lock = os.open(path, flags)
        except FileNotFoundError:
            lock = os.open(path, flags | os.O_CREAT, 0o644)
    except OSError as error:
        raise LockError(f"{path} cannot be used: {error.strerror}") from None
    taken = "another agent runs on this Mac, with another --state-dir: stop it, or disjoin it; a Mac is one node"
    with _locked(lock, taken):
        yield


@contextlib.contextmanager
def _locked(file: int, taken: str) -> Iterator[None]:
    """Hold the lock of this open file, then close it. Raises LockError with `taken` if somebody else holds it."""
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LockError(taken) from None
        yield
    finally:
        os.close(file)


def find_agent(directory: Path) -> RunningAgent | None:
    """The agent that runs with this directory; None without one."""
    try:
        lock = os.open(directory / FILE, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        if is_free(lock):
            return None
        text = os.pread(lock, 32, 0).decode("ascii", "replace").strip()
        return RunningAgent(int(text) if text.isdecimal() else None)
    finally:
        os.close(lock)


def is_free(file: int) -> bool:
    """Whether no process holds an exclusive lock on this file."""
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
