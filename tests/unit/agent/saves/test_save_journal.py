from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import pytest

from anka_agent.anka.errors import AlreadyExistsError, AnkaError, CommandTimeout, GarbageError
from anka_agent.instances import runner
from anka_agent.plan.save import Record, SaveFailure, Stage
from anka_agent.plan.situation import Job
from anka_agent.saves.journal import SaveJournal
from anka_agent.saves.steps import pushed


def test_a_record_survives_the_process(tmp_path: Path) -> None:
    journal = SaveJournal(tmp_path / "save")
    assert not journal.exists
    assert journal.record == Record()
    failure = SaveFailure("PushFailed", "no route", "PushFailed", 40)
    journal.write(stage=Stage.TESTED, checked=True, revert="v1")
    journal.write(failure=failure)
    assert journal.record == Record(stage=Stage.TESTED, checked=True, revert="v1", failure=failure)
    assert SaveJournal(tmp_path / "save").record == journal.record
    assert SaveJournal(tmp_path / "save").exists
    journal.forget()
    assert not (tmp_path / "save").exists()


@pytest.mark.parametrize(
    "damage", ["", "{", "[]", '{"stage": "none such"}', '{"failure": {"x": 1}}', '{"failure": 5}', '{"unknown": 1}']
)
def test_a_damaged_record_is_no_memory(tmp_path: Path, damage: str) -> None:
    (tmp_path / "record.json").write_text(damage)
    assert SaveJournal(tmp_path).record == Record()


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
    await journal.push.ended()
    if kind is None:
        pushed(journal)
    else:
        with pytest.raises(kind):
            pushed(journal)


async def test_a_push_that_takes_too_long(tmp_path: Path) -> None:
    journal = SaveJournal(tmp_path)
    program = "import time; time.sleep(60)"
    await asyncio.to_thread(journal.push.begin, [sys.executable, "-c", program], b"", timeout=0.2)
    await journal.push.ended()
    with pytest.raises(CommandTimeout):
        pushed(journal)


async def test_a_push_that_was_called_off(tmp_path: Path) -> None:
    journal = SaveJournal(tmp_path)
    program = "import time; print('begun', flush=True); time.sleep(60)"
    await asyncio.to_thread(journal.push.begin, [sys.executable, "-c", program], b"", timeout=60)
    # One that has only just begun hears no signal yet.
    async with asyncio.timeout(20):
        while journal.push.state is Job.RUNNING:
            journal.cancel()
            await asyncio.wait([asyncio.ensure_future(journal.push.ended())], timeout=0.5)
    with pytest.raises(GarbageError, match="was cut off"):
        pushed(journal)


def test_the_end_of_a_save_is_told_on_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: str, data: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(runner, "write", full)
    journal = SaveJournal(tmp_path / "save")
    with pytest.raises(OSError, match="No space left"):
        journal.write(checked=True)
    assert not journal.exists
    failure = SaveFailure("DiskFailed", "full", "DiskFailed")
    journal.conclude(failure=failure)
    assert (journal.exists, journal.record) == (True, Record(failure=failure))
    journal.conclude(finished=True)
    assert journal.record.finished
    monkeypatch.undo()
    journal.conclude(finished=True)
    assert SaveJournal(tmp_path / "save").record == Record(failure=failure, finished=True)
