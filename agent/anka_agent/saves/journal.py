"""What the agent must remember of one save, on the Mac's disk: its record, and the two jobs that outlive the agent."""

from __future__ import annotations

import dataclasses
import json
import logging
import shutil
from pathlib import Path
from typing import Any

from anka_agent.instances import runner
from anka_agent.instances.scripts import ScriptJob
from anka_agent.plan.save import Record, SaveFailure, Stage

log = logging.getLogger(__name__)

CLAIM = "claim.json"


class SaveJournal:
    """One directory. The script and the push run in processes of their own: found again by the next agent, they are
    neither begun twice nor lost."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.script = ScriptJob(directory / "script")
        self.push = ScriptJob(directory / "push")
        self._record: Record | None = None
        self._only_here = False

    @property
    def exists(self) -> bool:
        return self._only_here or (self.directory / "record.json").is_file()

    @property
    def record(self) -> Record:
        """As last written; a new one when there is none, or none that can be read."""
        if self._record is None:
            self._record = _parsed(_read(self.directory / "record.json"))
        return self._record

    def write(self, **changes: Any) -> None:
        """Change these fields of the record. On disk when it returns. Blocking. Raises OSError."""
        record = dataclasses.replace(self.record, **changes)
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        runner.write(str(self.directory / "record.json"), dataclasses.asdict(record))
        self._record = record

    def conclude(self, **changes: Any) -> None:
        """The same for what ends a save: where the disk refuses, it is remembered as long as this process lives, so
        that the end is told. Blocking."""
        try:
            self.write(**changes)
        except OSError as error:
            log.warning("the end of a save is not written down: %s", error, extra={"save": self.directory.name})
            self._record = dataclasses.replace(self.record, **changes)
            self._only_here = True

    def cancel(self) -> None:
        """End the script and the push, if they run."""
        self.script.cancel()
        self.push.cancel()

    def forget(self) -> None:
        self.script.forget()
        self.push.forget()
        shutil.rmtree(self.directory, ignore_errors=True)


def claim(folder: Path, vm_uuid: str, token: str) -> None:
    """Written before a VM gets a name that does not show whose it is. Blocking. Raises OSError."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    runner.write(str(folder / CLAIM), {"vm": vm_uuid, "token": token})


def claimed(folder: Path) -> tuple[str, str] | None:
    """UUID of the VM that was claimed, and the token of its instance."""
    data = _read(folder / CLAIM)
    vm, token = data.get("vm"), data.get("token")
    return (vm, token) if isinstance(vm, str) and isinstance(token, str) else None


def _read(path: Path) -> dict[str, Any]:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return data if isinstance(data, dict) else {}


def _parsed(data: dict[str, Any]) -> Record:
    known = {field.name for field in dataclasses.fields(Record)}
    fields = {key: value for key, value in data.items() if key in known}
    try:
        if fields.get("failure") is not None:
            fields["failure"] = SaveFailure(**fields["failure"])
        fields["stage"] = Stage(fields.get("stage", Stage.BEGUN))
        return Record(**fields)
    except (TypeError, ValueError):
        return Record()
