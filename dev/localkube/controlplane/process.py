"""One component of the control plane as a child process, with its log."""

import contextlib
import os
import select
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from localkube.controlplane import supervisor
from localkube.errors import DevError

# An apiserver with open watches may take its time; nothing it holds is lost by SIGKILL, etcd has its journal.
GRACE_SECONDS = 5.0
_SPAWN_SECONDS = 20.0
# Go collects garbage half as often, for twice the heap: an apiserver spends a quarter of its CPU on that here, and
# memory is cheaper. The environment can override it.
_GO = {"GOGC": "200"}
_TAIL_BYTES = 16_384


def last_line(log: Path) -> str:
    """The last line with text in a log; empty when there is none."""
    try:
        with log.open("rb") as stream:
            stream.seek(max(0, log.stat().st_size - _TAIL_BYTES))
            lines = stream.read().decode(errors="replace").splitlines()
    except FileNotFoundError:
        return ""
    return next((line.strip() for line in reversed(lines) if line.strip()), "")


class Component:
    """A running ``argv`` whose output goes to ``log``; ends with this process, whatever ends this process.

    ``keep_open`` are file descriptors that stay open as long as the component's supervisor lives (a lock).
    DevError when it cannot be started at all.
    """

    def __init__(self, name: str, argv: Sequence[str], log: Path, cwd: Path, keep_open: Sequence[int] = ()) -> None:
        self.name = name
        self.log = log
        with log.open("ab") as output:
            self._supervisor = subprocess.Popen(
                [sys.executable, "-I", "-S", supervisor.__file__, str(GRACE_SECONDS), *argv],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=output,
                cwd=cwd,
                env={**_GO, **os.environ},
                # Ctrl-C in a terminal reaches the whole session's group: the stop must come from us, in order.
                start_new_session=True,
                pass_fds=tuple(keep_open),
            )
        self.pid = self._read_pid()

    def _read_pid(self) -> int:
        stdout = self._supervisor.stdout
        assert stdout is not None
        ready, _, _ = select.select([stdout], [], [], _SPAWN_SECONDS)
        line = stdout.readline().decode() if ready else ""
        stdout.close()
        if not line.strip().isdigit():
            self._supervisor.kill()
            self._close_pipe()
            self._supervisor.wait()
            raise DevError(f"{self.name} did not start: {line.removeprefix('error: ').strip() or last_line(self.log)}")
        return int(line)

    @property
    def running(self) -> bool:
        """Whether the component is alive."""
        return self._supervisor.poll() is None

    @property
    def exit_code(self) -> int | None:
        """Its exit code (128 + signal when a signal ended it); None while it runs."""
        return self._supervisor.poll()

    def kill(self) -> None:
        """SIGKILL, as a crash; returns once it is gone."""
        if self.running:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
        self._supervisor.wait()
        self._close_pipe()

    def stop(self) -> None:
        """SIGTERM, and SIGKILL after ``GRACE_SECONDS``; returns once it is gone. May be called twice."""
        self._close_pipe()
        try:
            self._supervisor.wait(GRACE_SECONDS + 5)
        except subprocess.TimeoutExpired:
            # The supervisor is stopped or stuck, and only it would end the component.
            os.kill(self.pid, signal.SIGKILL)
            self._supervisor.kill()
            self._supervisor.wait()

    def _close_pipe(self) -> None:
        if self._supervisor.stdin is not None:
            self._supervisor.stdin.close()
