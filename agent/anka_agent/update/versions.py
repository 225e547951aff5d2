"""The versions of the agent on this Mac, and which of them runs. Each file has one writer.

| file | by | is |
| --- | --- | --- |
| <version>/ | agent | an unpacked package: what lies in it comes before what is installed |
| next.json | agent | the version to start next; taken away by the launcher |
| up.json | agent | the version that came up last |
| launcher.json | launcher | what runs, what is tried, and which version failed why |
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from anka_agent.instances import runner

UPDATE_EXIT = 75
"""Exit code of an agent that wants to be started as the version in next.json."""
BASE = "ANKA_AGENT_LAUNCHER_VERSION"
"""In the environment of an agent that a launcher runs: the installed version, which needs no package."""
LIFELINE = "ANKA_AGENT_LAUNCHER_FD"
"""A file descriptor that ends with the launcher: an agent without one would keep the next from starting."""


@dataclass
class LauncherState:
    """`current` is the installed version if empty. `trial` is tried now, for the `starts`th time."""

    current: str = ""
    trial: str = ""
    starts: int = 0
    failed: dict[str, str] = field(default_factory=dict)


class Versions:
    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def path(self, version: str) -> Path:
        return self.directory / version

    def has(self, version: str) -> bool:
        return version == os.environ.get(BASE) or self.path(version).is_dir()

    def drop(self, version: str) -> None:
        shutil.rmtree(self.path(version), ignore_errors=True)

    # Of the agent

    def ask_for(self, version: str) -> None:
        self._write("next.json", {"version": version})

    def came_up(self, version: str) -> None:
        self._write("up.json", {"version": version})

    def failure(self, version: str) -> str | None:
        """Why the launcher went back from this version, if it did."""
        return self.state().failed.get(version)

    # Of the launcher

    def asked_for(self) -> str | None:
        return self._version("next.json")

    def forget_request(self) -> None:
        (self.directory / "next.json").unlink(missing_ok=True)

    def up(self) -> str | None:
        return self._version("up.json")

    def forget_up(self) -> None:
        (self.directory / "up.json").unlink(missing_ok=True)

    def state(self) -> LauncherState:
        """What a damaged file says is lost: the installed version runs then."""
        data = self._read("launcher.json")
        with contextlib.suppress(TypeError):
            return LauncherState(**data)
        return LauncherState()

    def keep(self, state: LauncherState) -> None:
        self._write("launcher.json", asdict(state))

    def remove_others(self, *kept: str) -> None:
        """All packages but these."""
        for path in self.directory.iterdir():
            if path.is_dir() and path.name not in kept:
                shutil.rmtree(path, ignore_errors=True)

    def _version(self, name: str) -> str | None:
        version = self._read(name).get("version")
        return version if isinstance(version, str) else None

    def _read(self, name: str) -> dict[str, Any]:
        try:
            data = json.loads((self.directory / name).read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return {}
        return data if isinstance(data, dict) else {}

    def _write(self, name: str, data: dict[str, Any]) -> None:
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        runner.write(str(self.directory / name), data)
