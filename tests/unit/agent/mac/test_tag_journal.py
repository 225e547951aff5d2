from __future__ import annotations

import asyncio
import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from anka_agent.jobs import runner
from anka_agent.mac.tag_journal import USE_EVERY, TagJournal

MOMENT = datetime(2026, 1, 1, tzinfo=UTC)


async def test_survives_the_agent(tmp_path: Path) -> None:
    file = tmp_path / "templates.json"
    known = TagJournal(file)
    await known.record_use("t", "v1", MOMENT)
    await known.record_use("t", None, MOMENT)
    again = TagJournal(file)
    assert [again.last_use("t", tag) for tag in ("v1", None, "v2")] == [MOMENT, MOMENT, None]
    await again.record_pull("t", "v1", "content", MOMENT)
    await again.record_use("t", "v1", MOMENT)
    assert [TagJournal(file).content_id("t", tag) for tag in ("v1", None, "v2")] == ["content", None, None]
    await again.keep_only([("t", "v1")])
    assert TagJournal(file).last_use("t", None) is None
    assert TagJournal(file).content_id("t", "v1") == "content"
    await again.keep_only([])
    assert TagJournal(file).content_id("t", "v1") is None, "it may come back by hand, with any content"


async def test_a_start_is_that_of_one_content(tmp_path: Path) -> None:
    file = tmp_path / "templates.json"
    known = TagJournal(file)
    await known.record_pull("t", "v1", "content", MOMENT)
    assert not known.has_started("t", "v1")
    await known.record_start("t", "v1", MOMENT)
    for again in (known, TagJournal(file)):
        assert (again.has_started("t", "v1"), again.has_started("t", None)) == (True, False)
    await known.record_use("t", "v1", MOMENT)
    await known.record_pull("t", "v1", "content", MOMENT)
    assert TagJournal(file).has_started("t", "v1")
    await known.record_pull("t", "v1", "other", MOMENT)
    assert not TagJournal(file).has_started("t", "v1")
    await known.record_start("t", "v1", MOMENT)
    await known.record_pull("t", "v1", None, MOMENT)
    assert not known.has_started("t", "v1"), "it may be anything"
    await known.record_start("t", "v1", MOMENT)
    await known.keep_only([])
    assert not TagJournal(file).has_started("t", "v1")


async def test_a_start_is_written_once(tmp_path: Path) -> None:
    file = tmp_path / "templates.json"
    known = TagJournal(file)
    await known.record_start("t", "v1", MOMENT)
    file.unlink()
    await known.record_start("t", "v1", MOMENT)
    assert not file.exists()


async def test_agents_of_both_sides_of_an_update_read_the_file(tmp_path: Path) -> None:
    file = tmp_path / "templates.json"
    row = ["t", "v1", MOMENT.isoformat(), "content"]
    file.write_text(json.dumps({"tags": [row]}))
    known = TagJournal(file)
    assert (known.content_id("t", "v1"), known.has_started("t", "v1")) == ("content", False)
    await known.record_start("t", "v1", MOMENT)
    assert json.loads(file.read_text())["tags"] == [row]


@pytest.mark.parametrize(
    "damage",
    ["", "{", "[]", "5", '{"tags": 5}', '{"tags": [], "started": [1]}', '{"tags": [["t", "v1", "yesterday"]]}'],
)
async def test_damage_begins_anew(tmp_path: Path, damage: str) -> None:
    file = tmp_path / "templates.json"
    file.write_text(damage)
    known = TagJournal(file)
    assert known.last_use("t", "v1") is None
    await known.record_use("t", "v1", MOMENT)
    assert TagJournal(file).last_use("t", "v1") == MOMENT


async def test_a_full_disk_is_no_reason_to_fail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: str, data: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(runner, "write", full)
    known = TagJournal(tmp_path / "templates.json")
    await known.record_use("t", "v1", MOMENT)
    assert known.last_use("t", "v1") == MOMENT


async def test_uses_at_once_are_all_in_the_file_and_nothing_else_is_left(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    known = TagJournal(tmp_path / "templates.json")
    await asyncio.gather(*(known.record_use(f"t{number}", "v1", MOMENT) for number in range(40)))
    again = TagJournal(tmp_path / "templates.json")
    assert [again.last_use(f"t{number}", "v1") for number in range(40)] == [MOMENT] * 40
    assert os.listdir(tmp_path) == ["templates.json"]
    assert caplog.records == []


async def test_starts_of_one_template_in_a_row_write_its_use_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[object] = []
    monkeypatch.setattr(runner, "write", lambda path, data: written.append(data))
    known = TagJournal(tmp_path / "templates.json")
    soon, later = MOMENT + USE_EVERY - timedelta(seconds=1), MOMENT + USE_EVERY
    await asyncio.gather(*(known.record_use("t", "v1", moment) for moment in (MOMENT, soon, soon)))
    assert (len(written), known.last_use("t", "v1")) == (1, soon)
    await known.record_use("t", "v2", soon)
    assert len(written) == 2, "another tag"
    await known.record_use("t", "v2", MOMENT)
    assert len(written) == 3, "the clock was set back"
    await known.record_use("t", "v1", later + USE_EVERY)
    assert len(written) == 4


async def test_a_use_that_the_disk_refused_is_written_with_the_next(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    folder.write_text("no folder")
    known = TagJournal(folder / "templates.json")
    await known.record_use("t", "v1", MOMENT)
    folder.unlink()
    await known.record_use("t", "v1", MOMENT)
    assert TagJournal(folder / "templates.json").last_use("t", "v1") == MOMENT
