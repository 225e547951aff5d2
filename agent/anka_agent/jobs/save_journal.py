"""What the agent must remember of one save, on the Mac's disk: its record, and the two jobs that outlive the agent."""

import dataclasses
import logging
import shutil
from pathlib import Path
from typing import Any

from anka_agent.jobs.files import read_json, write_json
from anka_agent.jobs.scripts import ScriptJob
from anka_agent.plan.save import SaveFailure, SaveRecord, Stage
from anka_crds.api.conditions import SaveReason

log = logging.getLogger(__name__)


class SaveJournal:
    """One directory. The script and the push run in processes of their own, which the next agent finds again: they are
    neither begun twice nor lost."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.script = ScriptJob(directory / "script")
        self.push = ScriptJob(directory / "push")
        self._record: SaveRecord | None = None
        self._only_here = False

    @property
    def exists(self) -> bool:
        return self._only_here or (self.directory / "record.json").is_file()

    @property
    def record(self) -> SaveRecord:
        """As last written; a new record if none can be read."""
        if self._record is None:
            self._record = _parse(read_json(self.directory / "record.json"))
        return self._record

    def write(self, **changes: Any) -> None:
        """Change these fields of the record. On disk when it returns. Blocking. Raises OSError."""
        record = dataclasses.replace(self.record, **changes)
        write_json(self.directory / "record.json", dataclasses.asdict(record))
        self._record = record

    def conclude(self, **changes: Any) -> None:
        """The same for the end of a save: if the disk refuses, this process remembers it, so that the end is reported.
        Blocking."""
        try:
            self.write(**changes)
        except OSError as error:
            log.warning("the end of a save is not recorded: %s", error, extra={"save": self.directory.name})
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


def _parse(data: dict[str, Any]) -> SaveRecord:
    known = {field.name for field in dataclasses.fields(SaveRecord)}
    fields = {key: value for key, value in data.items() if key in known}
    try:
        if fields.get("failure") is not None:
            failure = fields["failure"]
            fields["failure"] = SaveFailure(
                **{**failure, "reason": SaveReason.parse(failure["reason"], SaveReason.FAILED)}
            )
        fields["stage"] = Stage(fields.get("stage", Stage.BEGUN))
        return SaveRecord(**fields)
    except (KeyError, TypeError, ValueError):
        return SaveRecord()
