"""The versions of the agent on this Mac, and which of them runs. Each file has one writer.

| file | by | is |
| --- | --- | --- |
| <version>/ | agent | an unpacked package, which is imported before what is installed |
| next.json | agent | the version to start next; removed by the launcher |
| up.json | agent | the version that came up last |
| launcher.json | launcher | what runs, what is on trial, and why versions failed |
"""

import contextlib
import os
import shutil
from dataclasses import asdict, dataclass, field
from pathlib import Path

from anka_agent.jobs.files import read_json, write_json

UPDATE_EXIT = 75
"""Exit code of an agent that is to be started as the version in next.json."""
BASE = "ANKA_AGENT_LAUNCHER_VERSION"
"""In the environment of an agent that a launcher runs: the installed version, which needs no package."""
LIFELINE = "ANKA_AGENT_LAUNCHER_FD"
"""A file descriptor that closes with the launcher: an agent that outlived it would block the next one."""


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

    # Called by the agent

    def request(self, version: str) -> None:
        write_json(self.directory / "next.json", {"version": version})

    def record_start(self, version: str) -> None:
        write_json(self.directory / "up.json", {"version": version})

    def find_failure(self, version: str) -> str | None:
        """Why the launcher went back from this version, if it did."""
        return self.state().failed.get(version)

    # Called by the launcher

    def find_request(self) -> str | None:
        return self._version("next.json")

    def forget_request(self) -> None:
        (self.directory / "next.json").unlink(missing_ok=True)

    def find_start(self) -> str | None:
        return self._version("up.json")

    def forget_start(self) -> None:
        (self.directory / "up.json").unlink(missing_ok=True)

    def state(self) -> LauncherState:
        """A damaged file is ignored: the installed version runs then."""
        data = read_json(self.directory / "launcher.json")
        with contextlib.suppress(TypeError):
            return LauncherState(**data)
        return LauncherState()

    def save(self, state: LauncherState) -> None:
        write_json(self.directory / "launcher.json", asdict(state))

    def remove_others(self, *kept: str) -> None:
        """All packages but these."""
        for path in self.directory.iterdir():
            if path.is_dir() and path.name not in kept:
                shutil.rmtree(path, ignore_errors=True)

    def _version(self, name: str) -> str | None:
        version = read_json(self.directory / name).get("version")
        return version if isinstance(version, str) else None
