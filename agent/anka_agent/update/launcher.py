"""`anka-agent launch`: runs the agent, starts the version that it requests, and goes back when that does not come up.

launchd starts it, and it is not updated itself: it must stay simple.
"""

import contextlib
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from types import FrameType

from anka_agent import VERSION
from anka_agent.update.versions import BASE, LIFELINE, UPDATE_EXIT, LauncherState, Versions

log = logging.getLogger(__name__)

MAX_STARTS = 3
"""Starts granted to a new version that ends before it is up; then the launcher goes back."""
LOOK_SECONDS = 0.2
STOP_SECONDS = 20.0

Start = Callable[[Sequence[str], Mapping[str, str], int], "subprocess.Popen[bytes]"]


def start_process(argv: Sequence[str], environment: Mapping[str, str], lifeline: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(argv, env=dict(environment), pass_fds=(lifeline,))  # noqa: S603 (ourselves)


class Launcher:
    """`flags`: the agent's. `trial_seconds`: how long a new version has to come up."""

    def __init__(
        self, versions: Versions, flags: Sequence[str], *, trial_seconds: float, start: Start = start_process
    ) -> None:
        self._versions = versions
        self._flags = list(flags)
        self._trial_seconds = trial_seconds
        self._start = start
        self._stopping = False
        self._child: subprocess.Popen[bytes] | None = None

    def run(self) -> int:
        """Run until the agent ends for a reason other than an update, or a signal arrives. Returns the exit code."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        self._versions.forget_request()
        while True:
            code = self._run_once()
            if code is not None:
                return code

    def _run_once(self) -> int | None:
        """One process from start to end. None: another process is to be started."""
        state = self._versions.state()
        self._choose(state)
        read_end, write_end = os.pipe()
        try:
            self._child = child = self._start(*self._command(state.trial or state.current, read_end), read_end)
            os.close(read_end)
            if self._stopping:
                child.terminate()
            code = self._watch_trial(child, state) if state.trial else child.wait()
        finally:
            os.close(write_end)
        if self._stopping:
            return _shell_code(code or 0)
        if code is None or state.trial:
            return None
        wanted = self._versions.find_request() if code == UPDATE_EXIT else None
        if wanted is None:
            return _shell_code(code)
        log.info("starting version %s of the agent", wanted)
        self._versions.forget_request()
        state.trial, state.starts = wanted, 0
        state.failed.pop(wanted, None)
        self._versions.save(state)
        return None

    def _choose(self, state: LauncherState) -> None:
        """Decide what to start next: state.trial, else state.current."""
        if state.trial and not self._usable(state.trial):
            self._go_back(state, "its package was gone")
        if state.trial and state.starts >= MAX_STARTS:
            self._go_back(state, f"it ended {MAX_STARTS} times before it came up")
        if state.current and not self._usable(state.current):
            log.error("version %s is gone: the installed %s is started", state.current, VERSION)
            state.current = ""
        if state.trial:
            state.starts += 1
            self._versions.forget_start()
        self._versions.save(state)
        # Now, because no agent is running that could be unpacking one.
        self._versions.remove_others(state.current, state.trial)

    def _watch_trial(self, child: subprocess.Popen[bytes], state: LauncherState) -> int | None:
        """The exit code of the version on trial; None if it did not come up in time. state.trial is empty once it has
        come up or failed."""
        end = time.monotonic() + self._trial_seconds
        while time.monotonic() < end:
            with contextlib.suppress(subprocess.TimeoutExpired):
                return child.wait(LOOK_SECONDS)
            if self._versions.find_start() == state.trial:
                log.info("version %s of the agent is up", state.trial)
                state.current, state.trial, state.starts = state.trial, "", 0
                self._versions.save(state)
                return child.wait()
        self._go_back(state, f"it did not come up in {self._trial_seconds:g} s")
        child.terminate()
        try:
            child.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
        return None

    def _go_back(self, state: LauncherState, why: str) -> None:
        back = state.current or VERSION
        log.error("version %s of the agent failed: %s; back to %s", state.trial, why, back)
        state.failed[state.trial] = f"{state.trial} was started, but {why}: back to {back}"
        if state.trial != state.current:
            self._versions.drop(state.trial)
        state.trial, state.starts = "", 0
        self._versions.save(state)

    def _usable(self, version: str) -> bool:
        return version == VERSION or self._versions.path(version).is_dir()

    def _command(self, version: str, lifeline: int) -> tuple[list[str], dict[str, str]]:
        environment = {**os.environ, BASE: VERSION, LIFELINE: str(lifeline)}
        package = self._versions.path(version)
        if version and package.is_dir():
            before = environment.get("PYTHONPATH")
            environment["PYTHONPATH"] = os.pathsep.join([str(package), *([before] if before else [])])
        # -P: a folder anka_agent in the current directory is not the agent.
        return [sys.executable, "-P", "-m", "anka_agent", "run", *self._flags], environment

    def _stop(self, number: int, _: FrameType | None) -> None:
        self._stopping = True
        if self._child is not None and self._child.poll() is None:
            self._child.send_signal(number)


def _shell_code(code: int) -> int:
    return code if code >= 0 else 128 - code
