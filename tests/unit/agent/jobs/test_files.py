from __future__ import annotations

import itertools
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from anka_agent.jobs import runner
from anka_agent.jobs.files import read_json, write_json


def test_written_whole_and_read_again(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "folder" / "file.json"
    write_json(file, {"a": 1})
    assert read_json(file) == {"a": 1}
    assert oct(file.parent.stat().st_mode)[-3:] == "700"
    assert [path.name for path in file.parent.iterdir()] == ["file.json"]
    assert oct(file.stat().st_mode)[-3:] == "600"


@pytest.mark.parametrize("content", [None, "", "{", "[1]", "null"])
def test_what_cannot_be_read_is_empty(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "file.json").write_text(content)
    assert read_json(tmp_path / "file.json") == {}


def test_writers_at_once_replace_the_file_one_after_the_other(tmp_path: Path) -> None:
    file = tmp_path / "file.json"
    with ThreadPoolExecutor(16) as writers:
        for done in [writers.submit(write_json, file, {"writer": number}) for number in range(200)]:
            done.result()
    assert read_json(file)["writer"] in range(200)
    assert [path.name for path in tmp_path.iterdir()] == ["file.json"]


def test_a_write_that_fails_leaves_the_old_file_alone(tmp_path: Path) -> None:
    file = tmp_path / "file.json"
    write_json(file, {"a": 1})
    with pytest.raises(TypeError):
        write_json(file, {"a": object()})
    assert read_json(file) == {"a": 1}
    assert [path.name for path in tmp_path.iterdir()] == ["file.json"]


def test_what_a_killed_process_left_is_in_nobodys_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "_writes", itertools.count())
    (tmp_path / f".a.json.{os.getpid()}-0").write_text('{"half": "of a longer rec')
    write_json(tmp_path / "a.json", {"b": 1})
    assert read_json(tmp_path / "a.json") == {"b": 1}
    assert os.listdir(tmp_path) == ["a.json"]
