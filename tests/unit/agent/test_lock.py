"""One agent for each directory, and who it is."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from anka_agent import lock


def test_who_holds_it(tmp_path: Path) -> None:
    state = tmp_path / "new"
    assert lock.find_agent(state) is None
    with lock.hold(state):
        assert lock.find_agent(state) == lock.RunningAgent(os.getpid())
        with pytest.raises(lock.LockError, match=f"another agent uses --state-dir {state}: stop it"), lock.hold(state):
            pass
        assert lock.find_agent(state) == lock.RunningAgent(os.getpid())
    assert lock.find_agent(state) is None
    with lock.hold(state):
        pass


def test_a_full_disk_keeps_no_agent_from_starting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is the agent that makes room."""
    (tmp_path / lock.FILE).write_text("4711\n")

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "pwrite", full)
    with lock.hold(tmp_path):
        assert lock.find_agent(tmp_path) == lock.RunningAgent(None), "not the process of an earlier agent"


def test_a_directory_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(lock.LockError, match="cannot be used: "), lock.hold(tmp_path / "file" / "x"):
        pass


def test_one_agent_for_each_machine(tmp_path: Path) -> None:
    with lock.hold_machine("H-1", tmp_path):
        with pytest.raises(lock.LockError, match="another agent runs on this Mac"), lock.hold_machine("H-1", tmp_path):
            pass
        with lock.hold_machine("H-2", tmp_path):
            pass
    with lock.hold_machine("H-1", tmp_path):
        pass


def test_a_lock_of_a_machine_that_cannot_be(tmp_path: Path) -> None:
    with pytest.raises(lock.LockError, match="cannot be used: "), lock.hold_machine("H", tmp_path / "none"):
        pass


def test_the_lock_of_a_machine_stays_where_nothing_cleans_up() -> None:
    """macOS empties /tmp of what is three days old, and the next agent would get a lock of its own."""
    assert Path("/tmp") != lock.MACHINES
    assert lock.MACHINES.stat().st_mode & 0o1777 == 0o1777, "of all users"


def test_a_link_in_the_place_of_the_lock_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "anka-agent-H-1.lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(lock.LockError, match="cannot be used: "), lock.hold_machine("H-1", tmp_path):
        pass
    assert not (tmp_path / "elsewhere").exists()
