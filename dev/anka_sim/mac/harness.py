"""A simulated Mac for tests and the demo: create it, run `anka` on it, read its log, power it off."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

from anka_sim import mac
from anka_sim.mac.store import FileStore

DEFAULT_TIMEOUT = 60.0


class CommandResult(NamedTuple):
    """What one command printed and its exit code."""

    code: int
    stdout: bytes
    stderr: bytes

    @property
    def envelope(self) -> dict[str, Any]:
        """The JSON answer: the last line of the output."""
        value: dict[str, Any] = json.loads(self.stdout.rsplit(b"\n", 1)[-1])
        return value

    @property
    def body(self) -> Any:
        return self.envelope["body"]


class Mac:
    """A Mac in `directory`, with its `anka` in `directory/bin`. As a context manager it is switched off at the end."""

    def __init__(self, directory: str | Path, config: Mapping[str, Any] | None = None) -> None:
        self.directory = Path(mac.create(directory, config))
        self.executable = Path(mac.install(self.directory / "bin", self.directory))
        self.store = FileStore(str(self.directory))

    @property
    def path(self) -> str:
        """A PATH in which `anka` is this Mac's."""
        return f"{self.executable.parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"

    def anka(self, *argv: str, stdin: bytes = b"", timeout: float = DEFAULT_TIMEOUT) -> CommandResult:
        """Run `anka` and wait for it; raises `subprocess.TimeoutExpired` after `timeout` seconds."""
        done = subprocess.run([self.executable, *argv], input=stdin, capture_output=True, timeout=timeout, check=False)
        return CommandResult(done.returncode, done.stdout, done.stderr)

    def popen(self, *argv: str, **streams: Any) -> subprocess.Popen[bytes]:
        """Start `anka` without waiting; its output is piped unless `streams` says otherwise."""
        given = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **streams}
        return subprocess.Popen([self.executable, *argv], **given)

    def commands(self) -> list[dict[str, Any]]:
        """Every command that ended so far: `ts`, `argv`, `code`, `ms`, `pid`."""
        log = self.directory / "commands.log"
        # The last line may be on its way.
        lines = log.read_text().splitlines(keepends=True) if log.exists() else []
        return [json.loads(line) for line in lines if line.endswith("\n")]

    def configure(self, **changes: Any) -> None:
        """Change parts of the configuration; `delays={"start": [1, 2]}` keeps the other delays."""
        from anka_sim.mac.settings import merge

        with self.store.lock():
            self.store.save_config(merge(changes, self.store.config()))

    def guest_home(self, ref: str) -> Path:
        """Where the files of a VM's user are on this machine."""
        uuid: str = self.anka("-j", "show", ref, "uuid").body
        return self.directory / "vms" / uuid / "root" / "Users" / "anka"

    def power_off(self) -> None:
        mac.power_off(self.directory)

    def __enter__(self) -> Mac:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.power_off()
