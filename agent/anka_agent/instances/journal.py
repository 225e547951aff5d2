"""What the agent itself must remember about an instance, on the Mac's disk, because nothing else shows it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Collection
from datetime import datetime
from pathlib import Path

from anka_agent.instances import runner
from anka_agent.instances.scripts import ScriptJob


class Journal:
    """One directory for each instance, named by its uid."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def script(self, uid: str) -> ScriptJob:
        return ScriptJob(self._directory / uid / "script")

    def restarted_at(self, uid: str) -> datetime | None:
        """spec.restartedAt of the last restart that was done here: the API may not know of it yet."""
        try:
            data = json.loads((self._directory / uid / "restart.json").read_text(encoding="utf-8"))
            return datetime.fromisoformat(data["restarted_at"])
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return None

    def restarted(self, uid: str, moment: datetime) -> None:
        """Written after the restart: killed in between, it is done once more, which is harmless."""
        folder = self._directory / uid
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        runner.write(str(folder / "restart.json"), {"restarted_at": moment.isoformat()})

    def forget(self, uid: str) -> None:
        if (self._directory / uid).is_dir():
            self.script(uid).forget()
            shutil.rmtree(self._directory / uid, ignore_errors=True)

    def uids(self) -> list[str]:
        """Of all instances that something is remembered about."""
        if not self._directory.is_dir():
            return []
        return sorted(path.name for path in self._directory.iterdir() if path.is_dir())

    def sweep(self, alive: Collection[str]) -> list[str]:
        """Forget all instances but these; returns the ones that were dropped."""
        stale = [uid for uid in self.uids() if uid not in alive]
        for uid in stale:
            self.forget(uid)
        return stale
