"""Jobs that outlive the agent: begun exactly once, found again after a restart."""

import asyncio
import contextlib
import fcntl
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from anka_agent.jobs import runner
from anka_agent.jobs.files import read_json, write_json
from anka_agent.lock import is_free
from anka_agent.plan.situation import JobState
from anka_crds.api.limits import MAX_SCRIPT_ERRORS, OUTPUT_BYTES
from anka_crds.api.vm_info import ScriptResult

POLL_SECONDS = 0.1
SLOW_POLL_SECONDS = 1.0


class ScriptJob:
    """One script or push. Its directory is the record: made before the job runs, kept until it is forgotten."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def state(self) -> JobState:
        if not (self.directory / "job.json").is_file():
            return JobState.NONE
        result = self._result()
        if result is None:
            if self._is_running():
                return JobState.RUNNING
            # It may have ended between the two reads.
            result = self._result()
        if result is None:
            return JobState.LOST if (self.directory / "started.json").is_file() else JobState.NONE
        if result.did_timeout:
            return JobState.TIMED_OUT
        return JobState.SUCCEEDED if result.return_code == 0 else JobState.FAILED

    def result(self) -> ScriptResult | None:
        """What the REST API shows; None before the end. A lost job has an error instead of output."""
        found = self._result()
        if found is None and self.state is JobState.LOST:
            return ScriptResult(return_code=-1, errors=["cut off before its end"])
        return found

    def begin(self, command: Sequence[str], script: bytes, *, timeout: float | None) -> None:
        """Start it as a process of its own. The runner enforces `timeout` (seconds), even without the agent. Blocking.

        Does nothing if it was already begun. Raises OSError if the disk refuses.
        """
        if self.state is not JobState.NONE:
            return
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self.directory / "script"
        path.touch(mode=0o600)
        path.write_bytes(script)
        job: dict[str, Any] = {"command": list(command), "timeout": timeout, "limit": OUTPUT_BYTES}
        write_json(self.directory / "job.json", job)
        lock = os.open(self.directory / "lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            # Taken here and inherited by the runner: there is no moment at which it runs without the lock.
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter, our own file
                [sys.executable, os.path.abspath(runner.__file__), str(self.directory)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=[lock],
                start_new_session=True,
            )
        finally:
            os.close(lock)

    async def wait(self) -> None:
        """Wait until it no longer runs, whichever agent began it."""
        waits = 0
        while self.state is JobState.RUNNING:
            await asyncio.sleep(POLL_SECONDS if waits < 100 else SLOW_POLL_SECONDS)
            waits += 1
        self._reap()

    def cancel(self) -> None:
        """End it: its VM is about to be removed, and `anka run` would start a VM that it finds stopped."""
        if self._is_running():
            self._end_runner()
        self._reap()

    def forget(self) -> None:
        """Cancel it, and drop the record."""
        self.cancel()
        shutil.rmtree(self.directory, ignore_errors=True)

    def _reap(self) -> None:
        if self._process is not None and self._process.poll() is not None:
            self._process = None

    def _end_runner(self) -> None:
        pid = read_json(self.directory / "started.json").get("pid")
        if isinstance(pid, int):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGTERM)

    def _is_running(self) -> bool:
        try:
            lock = os.open(self.directory / "lock", os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        try:
            return not is_free(lock)
        finally:
            os.close(lock)

    def _result(self) -> ScriptResult | None:
        data = read_json(self.directory / "result.json")
        if not data:
            return None
        return ScriptResult(
            return_code=int(data.get("return_code", -1)),
            did_timeout=bool(data.get("did_timeout", False)),
            stdout=str(data.get("stdout", ""))[-OUTPUT_BYTES:],
            stderr=str(data.get("stderr", ""))[-OUTPUT_BYTES:],
            errors=[str(line)[:1000] for line in data["errors"][:MAX_SCRIPT_ERRORS]] if data.get("errors") else None,
        )
