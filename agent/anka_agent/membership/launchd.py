"""The launchd job that keeps the agent running: a daemon when root joins, else an agent of the user's session."""

import os
import plistlib
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

LABEL = "com.veertu.anka.kube-agent"
PATH = "/usr/local/bin:/opt/homebrew/bin:/usr/bin:/bin:/usr/sbin:/sbin"
"""launchd's default has no /usr/local/bin, where `anka` is."""

Run = Callable[[Sequence[str]], "subprocess.CompletedProcess[str]"]


class ServiceError(Exception):
    """launchd failed to do what was asked; str() is one line."""


def plist(program: Sequence[str], state_dir: Path, logs: Path, *, user: str = "") -> dict[str, Any]:
    """The job. `user`: run as this user (daemons only)."""
    job: dict[str, Any] = {
        "Label": LABEL,
        "ProgramArguments": [*program, "launch", f"--state-dir={state_dir}"],
        "RunAtLoad": True,
        "KeepAlive": True,
        "ThrottleInterval": 10,
        # VMs and scripts outlive the agent: the next one finds them.
        "AbandonProcessGroup": True,
        "ExitTimeOut": 30,
        "ProcessType": "Interactive",
        "EnvironmentVariables": {"PATH": PATH},
        "SoftResourceLimits": {"NumberOfFiles": 8192},
        "WorkingDirectory": "/",
        "StandardOutPath": str(logs / "anka-agent.log"),
        "StandardErrorPath": str(logs / "anka-agent.log"),
    }
    if user:
        job["UserName"] = user
    return job


def _run(argv: Sequence[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)  # noqa: S603


class Launchd:
    """`root` and `home`: parents of launchd's folders. `run`: runs a command."""

    def __init__(
        self,
        *,
        uid: int,
        root: Path = Path("/"),
        home: Path | None = None,
        program: Sequence[str] = (sys.executable, "-m", "anka_agent"),
        run: Run = _run,
    ) -> None:
        self._daemon = uid == 0
        library = (root if self._daemon else home or Path.home()) / "Library"
        self.plist_file = library / ("LaunchDaemons" if self._daemon else "LaunchAgents") / f"{LABEL}.plist"
        self.logs = library / "Logs" / "anka-agent"
        self._domain = "system" if self._daemon else f"gui/{uid}"
        self._program = program
        self._run = run

    def install(self, state_dir: Path, *, user: str = "") -> None:
        """Write the job and start it, in place of an earlier one. Raises ServiceError."""
        if user and not self._daemon:
            raise ServiceError("--service-user needs root: join with sudo")
        try:
            self.logs.mkdir(parents=True, exist_ok=True)
            self.plist_file.parent.mkdir(parents=True, exist_ok=True)
            self.plist_file.write_bytes(plistlib.dumps(plist(self._program, state_dir, self.logs, user=user)))
            # launchd refuses a job that other users can change.
            self.plist_file.chmod(0o644)
        except OSError as error:
            raise ServiceError(f"{self.plist_file} cannot be written: {error.strerror}; join with sudo") from None
        if self.is_loaded():
            self._do("bootout", f"{self._domain}/{LABEL}")
        self._do("bootstrap", self._domain, str(self.plist_file))

    def remove(self) -> None:
        """Stop the job and remove it; can be repeated. Raises ServiceError."""
        if self.is_loaded():
            self._do("bootout", f"{self._domain}/{LABEL}")
        self.plist_file.unlink(missing_ok=True)

    def is_loaded(self) -> bool:
        return self._launchctl("print", f"{self._domain}/{LABEL}").returncode == 0

    def _do(self, *words: str) -> None:
        done = self._launchctl(*words)
        if done.returncode:
            said = " ".join((done.stderr or done.stdout).split()) or f"exit code {done.returncode}"
            raise ServiceError(f"launchctl {' '.join(words)}: {said}")

    def _launchctl(self, *words: str) -> subprocess.CompletedProcess[str]:
        try:
            return self._run(["/bin/launchctl", *words])
        except (OSError, subprocess.TimeoutExpired) as error:
            raise ServiceError(f"launchctl {' '.join(words)}: {error}") from None


def find_launchd() -> Launchd | None:
    """None where there is no launchd."""
    return Launchd(uid=os.geteuid()) if sys.platform == "darwin" else None
