"""State in files: each change in one step, and nothing left of what was interrupted."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from anka_sim.mac import create, records
from anka_sim.mac.errors import SimulatedAnkaError
from anka_sim.mac.store import FileStore, read_json, write_json

# No process has it: Linux's largest is 4,194,304.
NO_PID = 4_999_999


def record(uuid: str, created: float = 0.0) -> dict[str, Any]:
    return records.new(uuid, f"vm-{uuid}", created)


@pytest.fixture
def store(tmp_path: Path) -> FileStore:
    return FileStore(create(tmp_path / "mac"))


def test_vms_come_in_the_order_of_their_creation(store: FileStore) -> None:
    assert store.vms() == []
    for uuid, created in (("b", 2.0), ("a", 3.0), ("c", 1.0)):
        store.add(record(uuid, created), None)
    store.put({**record("c", 1.0), "status": "running"})
    assert [(vm["uuid"], vm["status"]) for vm in store.vms()] == [("c", "running"), ("b", "stopped"), ("a", "stopped")]
    store.remove("b")
    assert [vm["uuid"] for vm in store.vms()] == ["c", "a"]
    assert os.listdir(os.path.join(store.path, "tmp")) == []


def test_sweep_removes_what_dead_processes_left_and_nothing_else(store: FileStore) -> None:
    mine = store.staging("clone")
    stale = Path(store.path) / "tmp" / f"{NO_PID}.clone.abcd"
    (stale / "root").mkdir(parents=True)
    store.sweep()
    assert not stale.exists()
    assert os.path.isdir(mine)


def test_a_directory_that_is_not_a_mac_and_damaged_state_are_named(tmp_path: Path) -> None:
    with pytest.raises(SimulatedAnkaError, match=r"is not a simulated Mac \(no config.json\); make one with"):
        FileStore(str(tmp_path)).config()
    damaged = tmp_path / "vm.json"
    damaged.write_text("{")
    with pytest.raises(SimulatedAnkaError, match=r"vm.json is not valid JSON .*; repair or delete it"):
        read_json(str(damaged))


def test_a_file_is_replaced_in_one_step(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    write_json(str(path), {"a": 1})
    write_json(str(path), {"a": 2})
    assert read_json(str(path)) == {"a": 2}
    assert [file.name for file in tmp_path.iterdir()] == ["state.json"]
    assert read_json(str(tmp_path / "none.json")) is None
