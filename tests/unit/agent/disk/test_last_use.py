from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from anka_agent.disk.last_use import LastUse
from anka_agent.instances import runner

MOMENT = datetime(2026, 1, 1, tzinfo=UTC)


async def test_survives_the_agent(tmp_path: Path) -> None:
    file = tmp_path / "templates.json"
    known = LastUse(file)
    await known.used("t", "v1", MOMENT)
    await known.used("t", None, MOMENT)
    again = LastUse(file)
    assert [again.of("t", tag) for tag in ("v1", None, "v2")] == [MOMENT, MOMENT, None]
    await again.keep([("t", "v1")])
    assert LastUse(file).of("t", None) is None


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"used": 5}', '{"used": [["t", "v1", "yesterday"]]}'])
async def test_damage_begins_anew(tmp_path: Path, damage: str) -> None:
    file = tmp_path / "templates.json"
    file.write_text(damage)
    known = LastUse(file)
    assert known.of("t", "v1") is None
    await known.used("t", "v1", MOMENT)
    assert LastUse(file).of("t", "v1") == MOMENT


async def test_a_full_disk_is_no_reason_to_fail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: str, data: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(runner, "write", full)
    known = LastUse(tmp_path / "templates.json")
    await known.used("t", "v1", MOMENT)
    assert known.of("t", "v1") == MOMENT
