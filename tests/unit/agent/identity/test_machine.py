"""The same machine keeps its id; a copy of its disk, or of the directory, gets another one."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from anka_agent.identity.machine import FILE, read_identity


def test_the_same_machine_stays_the_same(tmp_path: Path) -> None:
    first = read_identity(tmp_path, "H-1")
    assert read_identity(tmp_path, "H-1") == first
    assert first.holder("mac-1") == f"mac-1/{first.id}"
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600


def test_a_disk_in_another_machine(tmp_path: Path) -> None:
    first = read_identity(tmp_path, "H-1")
    second = read_identity(tmp_path, "H-2")
    assert second.id != first.id
    assert second.hardware_uuid == "H-2"
    assert read_identity(tmp_path, "H-2") == second


@pytest.mark.parametrize("hardware", ["H-1", None])
def test_a_copy_of_the_directory_on_the_same_machine(tmp_path: Path, hardware: str | None) -> None:
    (tmp_path / "state").mkdir()
    first = read_identity(tmp_path / "state", hardware)
    shutil.copytree(tmp_path / "state", tmp_path / "copy")
    assert read_identity(tmp_path / "copy", hardware).id != first.id
    (tmp_path / "state").rename(tmp_path / "moved")
    assert read_identity(tmp_path / "moved", hardware) == first


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", json.dumps({"id": "x"})])
def test_a_file_that_is_damaged_is_made_anew(tmp_path: Path, content: str) -> None:
    (tmp_path / FILE).write_text(content)
    found = read_identity(tmp_path, "H-1")
    assert read_identity(tmp_path, "H-1") == found
