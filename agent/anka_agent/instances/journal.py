"""What the agent itself must remember about an instance, on the Mac's disk, because nothing else shows it."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Collection
from datetime import datetime
from pathlib import Path

from anka_agent.instances import runner
from anka_agent.instances.scripts import ScriptJob
from anka_agent.saves.journal import CLAIM, SaveJournal, claim, claimed

log = logging.getLogger(__name__)

GROWN = "grown"


class Journal:
    """One directory for each instance, named by its uid."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._restarted: dict[str, datetime] = {}

    def script(self, uid: str) -> ScriptJob:
        return ScriptJob(self._directory / uid / "script")

    def restarted_at(self, uid: str) -> datetime | None:
        """spec.restartedAt of the last restart that was done here: the API may not know of it yet."""
        if uid in self._restarted:
            return self._restarted[uid]
        try:
            data = json.loads((self._directory / uid / "restart.json").read_text(encoding="utf-8"))
            return datetime.fromisoformat(data["restarted_at"])
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return None

    def restarted(self, uid: str, moment: datetime) -> None:
        """Written after the restart: killed in between, it is done once more, which is harmless."""
        folder = self._directory / uid
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            runner.write(str(folder / "restart.json"), {"restarted_at": moment.isoformat()})
        except OSError as error:
            # A full disk must not make it restart for ever.
            log.warning("a restart is not written down: %s", error, extra={"uid": uid})
            self._restarted[uid] = moment
        else:
            self._restarted.pop(uid, None)

    def grown(self, uid: str) -> bool:
        """Whether the APFS container in the VM was grown into its disk."""
        return (self._directory / uid / GROWN).exists()

    def note_grown(self, uid: str) -> None:
        """Written after the fact: killed in between, it is done once more, which is harmless."""
        folder = self._directory / uid
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (folder / GROWN).touch(mode=0o600)

    def save(self, uid: str, save_uid: str) -> SaveJournal:
        """Of one SaveImage of the instance."""
        return SaveJournal(self._directory / uid / "saves" / save_uid)

    def saves(self, uid: str) -> list[str]:
        """uids of the SaveImages that something is remembered about."""
        folder = self._directory / uid / "saves"
        return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []

    def claim(self, uid: str, vm_uuid: str, token: str) -> None:
        """Before the VM gets a name that does not show whose it is."""
        claim(self._directory / uid, vm_uuid, token)

    def unclaim(self, uid: str) -> None:
        (self._directory / uid / CLAIM).unlink(missing_ok=True)

    def claims(self) -> dict[str, str]:
        """UUIDs of VMs that may have such a name, with the tokens of their instances."""
        found = (claimed(self._directory / uid) for uid in self.uids())
        return dict(pair for pair in found if pair is not None)

    def claimed_by(self, uid: str) -> str | None:
        """UUID of the VM that this instance has claimed."""
        pair = claimed(self._directory / uid)
        return None if pair is None else pair[0]

    def forget(self, uid: str) -> None:
        self._restarted.pop(uid, None)
        if (self._directory / uid).is_dir():
            self.script(uid).forget()
            for save_uid in self.saves(uid):
                self.save(uid, save_uid).forget()
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
