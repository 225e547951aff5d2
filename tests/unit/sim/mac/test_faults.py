"""Which command a fault befalls, and how often."""

from __future__ import annotations

from pathlib import Path

import pytest

from anka_sim.mac import create, faults
from anka_sim.mac.store import FileStore


@pytest.fixture
def store(tmp_path: Path) -> FileStore:
    return FileStore(create(tmp_path))


@pytest.mark.parametrize(
    ("command", "line", "hit"),
    [
        ("*", "list", True),
        ("start", "start vm", True),
        ("start", "stop vm", False),
        ("registry pull", "registry pull tpl", True),
        ("registry pull", "registry --remote http://r:8089 -k pull tpl", True),
        ("registry pull", "registry --remote=http://r:8089 push tpl", False),
    ],
)
def test_it_is_chosen_by_the_beginning_of_the_command(store: FileStore, command: str, line: str, hit: bool) -> None:
    faults.add(store, {"command": command, "action": "fail"})
    assert (faults.take(store, line.split()) is not None) is hit


def test_times_count_down_and_without_times_it_stays(store: FileStore) -> None:
    faults.add(store, {"command": "start", "action": "fail", "times": 2})
    faults.add(store, {"command": "*", "action": "garbage"})
    actions = [(faults.take(store, ["start", "vm"]) or {})["action"] for _ in range(4)]
    assert actions == ["fail", "fail", "garbage", "garbage"]
    faults.clear(store)
    assert faults.take(store, ["start", "vm"]) is None
