from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import pytest

from anka_agent.anka.errors import AlreadyExistsError, AnkaError, CommandTimeout, GarbageError
from anka_agent.jobs import runner
from anka_agent.jobs.save_journal import SaveJournal
from anka_agent.plan.save import SaveFailure, SaveRecord, Stage
from anka_agent.plan.situation import JobState
from anka_agent.steps.save import require_pushed
from anka_crds.api.conditions import SaveReason


def test_a_record_survives_the_process(tmp_path: Path) -> None:
    journal = SaveJournal(tmp_path / "save")
    assert not journal.exists
    assert journal.record == SaveRecord()
    failure = SaveFailure(SaveReason.PUSH_FAILED, "no route", "PushFailed", 40)
    journal.write(stage=Stage.TESTED, checked=True, revert="v1")
    journal.write(failure=failure)
    assert journal.record == SaveRecord(stage=Stage.TESTED, checked=True, revert="v1", failure=failure)
    assert SaveJournal(tmp_path / "save").record == journal.record
    assert SaveJournal(tmp_path / "save").exists
    journal.forget()
    assert not (tmp_path / "save").exists()


@pytest.mark.parametrize(
    "damage", ["", "{", "[]", '{"stage": "none such"}', '{"failure": {"x": 1}}', '{"failure": 5}', '{"unknown": 1}']
)
def test_a_damaged_record_is_no_memory(tmp_path: Path, damage: str) -> None:
    (tmp_path / "record.json").write_text(damage)
    assert SaveJournal(tmp_path).record == SaveRecord()


ANSWERS = {
    "ok": (json.dumps({"status": "OK", "code": 0, "body": {}}), 0, None),
    "refused": (
        json.dumps({"status": "ERROR", "code": 18, "message": "tag v1 already exists"}),
        18,
        AlreadyExistsError,
    ),
    "registry": (json.dumps({"status": "ERROR", "code": 40, "message": "no route"}), 40, AnkaError),
    "garbage": ("Segmentation fault", 139, GarbageError),
    "nothing": ("", 1, GarbageError),
    "progress first": ("pushing x: 50.0%\n" + json.dumps({"status": "OK", "body": {}}), 0, None),
}


@pytest.mark.parametrize("name", ANSWERS)
async def test_what_became_of_a_push(tmp_path: Path, name: str) -> None:
    text, code, kind = ANSWERS[name]
    journal = SaveJournal(tmp_path)
    program = f"import sys; sys.stdout.write({text!r}); sys.exit({code})"
    await asyncio.to_thread(journal.push.begin, [sys.executable, "-c", program], b"", timeout=20)
    await journal.push.wait()
    if kind is None:
        require_pushed(journal)
    else:
        with pytest.raises(kind):
            require_pushed(journal)


async def test_a_push_that_takes_too_long(tmp_path: Path) -> None:
    journal = SaveJournal(tmp_path)
    program = "import time; time.sleep(60)"
    await asyncio.to_thread(journal.push.begin, [sys.executable, "-c", program], b"", timeout=0.2)
    await journal.push.wait()
    with pytest.raises(CommandTimeout):
        require_pushed(journal)


async def test_a_push_that_was_called_off(tmp_path: Path) -> None:
    journal = SaveJournal(tmp_path)
    program = "import time; print('begun', flush=True); time.sleep(60)"
    await asyncio.to_thread(journal.push.begin, [sys.executable, "-c", program], b"", timeout=60)
    # One that has only just begun hears no signal yet.
    async with asyncio.timeout(60):
        while journal.push.state is JobState.RUNNING:
            journal.cancel()
            await asyncio.wait([asyncio.ensure_future(journal.push.wait())], timeout=0.5)
    with pytest.raises(GarbageError, match="was cut off"):
        require_pushed(journal)


def test_the_end_of_a_save_is_told_on_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: str, data: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(runner, "write", full)
    journal = SaveJournal(tmp_path / "save")
    with pytest.raises(OSError, match="No space left"):
        journal.write(checked=True)
    assert not journal.exists
    failure = SaveFailure(SaveReason.DISK_FAILED, "full", "DiskFailed")
    journal.conclude(failure=failure)
    assert (journal.exists, journal.record) == (True, SaveRecord(failure=failure))
    journal.conclude(finished=True)
    assert journal.record.finished
    monkeypatch.undo()
    journal.conclude(finished=True)
    assert SaveJournal(tmp_path / "save").record == SaveRecord(failure=failure, finished=True)
