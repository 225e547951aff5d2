"""What the agent must remember about an instance, on the Mac's disk, because nothing else shows it."""

import logging
import os
import shutil
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from anka_agent.jobs.files import read_json, write_json
from anka_agent.jobs.save_journal import SaveJournal
from anka_agent.jobs.scripts import ScriptJob

log = logging.getLogger(__name__)
GROWN = "grown"
VM = "vm.json"


@dataclass(frozen=True, slots=True)
class VmRecord:
    """An instance's VM. `uuid` None: it is being cloned, or was when the agent was killed."""

    name: str
    uuid: str | None = None


class Journal:
    """One directory for each instance, named by its uid. Only this process writes the records of VMs: it reads them
    once, because whoever looks for leftovers asks for all of them every few seconds."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._restarted: dict[str, datetime] = {}
        read = {uid: _read_vm(directory / uid / VM) for uid in self.uids()}
        self._vms = {uid: vm for uid, vm in read.items() if vm is not None}
        self.owners = {vm.uuid: uid for uid, vm in self._vms.items() if vm.uuid is not None}
        """The uids of instances, by the UUIDs of their VMs: nobody can choose those, but everybody names."""

    def script(self, uid: str) -> ScriptJob:
        return ScriptJob(self._directory / uid / "script")

    def last_restart(self, uid: str) -> datetime | None:
        """spec.restartedAt of the last restart done here: the API may not show it yet."""
        if uid in self._restarted:
            return self._restarted[uid]
        try:
            return datetime.fromisoformat(read_json(self._directory / uid / "restart.json")["restarted_at"])
        except (ValueError, KeyError, TypeError):
            return None

    def record_restart(self, uid: str, moment: datetime) -> None:
        """Written after the restart: an agent killed in between restarts the VM once more, which is harmless."""
        try:
            write_json(self._directory / uid / "restart.json", {"restarted_at": moment.isoformat()})
        except OSError as error:
            # A full disk must not make the VM restart for ever.
            log.warning("a restart is not recorded: %s", error, extra={"uid": uid})
            self._restarted[uid] = moment
        else:
            self._restarted.pop(uid, None)

    def is_grown(self, uid: str) -> bool:
        """Whether the APFS container in the VM was grown into its disk."""
        return (self._directory / uid / GROWN).exists()

    def record_growth(self, uid: str) -> None:
        """Written afterwards: an agent killed in between grows it once more, which is harmless."""
        folder = self._directory / uid
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (folder / GROWN).touch(mode=0o600)

    def save(self, uid: str, save_uid: str) -> SaveJournal:
        """The journal of one SaveImage of the instance."""
        return SaveJournal(self._directory / uid / "saves" / save_uid)

    def saves(self, uid: str) -> list[str]:
        """uids of the SaveImages with a record."""
        try:
            return sorted(os.listdir(f"{self._directory}/{uid}/saves"))
        except FileNotFoundError:
            return []

    def has_unfinished_saves(self) -> bool:
        """Whether any save begun here has no end yet. Blocking."""
        return any(not self.save(uid, save).record.finished for uid in self.uids() for save in self.saves(uid))

    def record_vm(self, uid: str, name: str, vm_uuid: str | None = None) -> None:
        """Called before the VM is cloned with this name, and again when its UUID is known. Blocking. Raises
        OSError; the UUID counts in this process all the same."""
        self._disown(uid)
        if vm_uuid is not None:
            self.owners[vm_uuid] = uid
        write_json(self._directory / uid / VM, {"name": name, "uuid": vm_uuid})
        self._vms[uid] = VmRecord(name, vm_uuid)

    def find_vm(self, uid: str) -> VmRecord | None:
        """As it is on the disk."""
        return self._vms.get(uid)

    def forget_vm(self, uid: str) -> None:
        """The VM was deleted: a template that is pulled later can have its UUID."""
        self._disown(uid)
        (self._directory / uid / VM).unlink(missing_ok=True)
        self._vms.pop(uid, None)

    def _disown(self, uid: str) -> None:
        for vm_uuid in [vm_uuid for vm_uuid, owner in self.owners.items() if owner == uid]:
            del self.owners[vm_uuid]

    def forget(self, uid: str) -> None:
        self._restarted.pop(uid, None)
        self._disown(uid)
        if (self._directory / uid).is_dir():
            self.script(uid).forget()
            for save_uid in self.saves(uid):
                self.save(uid, save_uid).forget()
            shutil.rmtree(self._directory / uid, ignore_errors=True)
        self._vms.pop(uid, None)

    def uids(self) -> list[str]:
        """The uids of all instances with a record."""
        try:
            with os.scandir(self._directory) as entries:
                return sorted(entry.name for entry in entries if entry.is_dir())
        except FileNotFoundError:
            return []

    def sweep(self, alive: Collection[str]) -> list[str]:
        """Forget all instances but these; returns the ones that were dropped."""
        stale = [uid for uid in self.uids() if uid not in alive]
        for uid in stale:
            self.forget(uid)
        return stale


def _read_vm(file: Path) -> VmRecord | None:
    data = read_json(file)
    name, vm_uuid = data.get("name"), data.get("uuid")
    if not isinstance(name, str) or not name:
        return None
    return VmRecord(name, vm_uuid if isinstance(vm_uuid, str) else None)
