"""Startup scripts in flight: begun exactly once, found again after a restart of the agent."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from anka_agent.instances import runner
from anka_agent.plan.report import OUTPUT_LIMIT
from anka_agent.plan.situation import Job
from anka_crds.api.vm_info import ScriptResult

POLL_SECONDS = 0.1
SLOW_POLL_SECONDS = 1.0


class ScriptJob:
    """The script of one instance. Its directory is the record: made before it runs, kept until the instance is gone."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def state(self) -> Job:
        """What has become of it."""
        if not (self.directory / "job.json").is_file():
            return Job.NONE
        result = self._result()
        if result is None:
            if self._held():
                return Job.RUNNING
            # Between the two looks it may have ended.
            result = self._result()
        if result is None:
            return Job.LOST if (self.directory / "started.json").is_file() else Job.NONE
        if result.did_timeout:
            return Job.TIMED_OUT
        return Job.SUCCEEDED if result.return_code == 0 else Job.FAILED

    def result(self) -> ScriptResult | None:
        """What REST shows; None before its end. A lost script has an error instead of output."""
        found = self._result()
        if found is None and self.state is Job.LOST:
            return ScriptResult(return_code=-1, errors=["cut off before its end"])
        return found

    def begin(self, command: Sequence[str], script: bytes, *, timeout: float | None) -> None:
        """Start it on its own; `timeout` in seconds is kept by the runner, even when the agent is away. Blocking.

        Does nothing for one that was begun. Raises OSError when the disk refuses.
        """
        if self.state is not Job.NONE:
            return
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self.directory / "script"
        path.touch(mode=0o600)
        path.write_bytes(script)
        job: dict[str, Any] = {"command": list(command), "timeout": timeout, "limit": OUTPUT_LIMIT}
        runner.write(str(self.directory / "job.json"), job)
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

    async def ended(self) -> None:
        """Wait until it no longer runs, whoever began it."""
        waits = 0
        while self.state is Job.RUNNING:
            await asyncio.sleep(POLL_SECONDS if waits < 100 else SLOW_POLL_SECONDS)
            waits += 1
        self._reap()

    def cancel(self) -> None:
        """End it: its VM is going to be removed, and `anka run` starts a VM that it finds stopped."""
        if self._held():
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
        started = _read(self.directory / "started.json")
        if started is not None and isinstance(started.get("pid"), int):
            try:
                os.kill(started["pid"], 15)
            except (ProcessLookupError, PermissionError):
                return

    def _held(self) -> bool:
        try:
            lock = os.open(self.directory / "lock", os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(lock)
        return False

    def _result(self) -> ScriptResult | None:
        data = _read(self.directory / "result.json")
        if data is None:
            return None
        return ScriptResult(
            return_code=int(data.get("return_code", -1)),
            did_timeout=bool(data.get("did_timeout", False)),
            stdout=str(data.get("stdout", ""))[-OUTPUT_LIMIT:],
            stderr=str(data.get("stderr", ""))[-OUTPUT_LIMIT:],
            errors=[str(line)[:1000] for line in data["errors"]] if data.get("errors") else None,
        )


def _read(path: Path) -> dict[str, Any] | None:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        return None
    return data if isinstance(data, dict) else None
