"""One agent for each directory, and who it is."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from anka_agent import lock


def test_who_holds_it(tmp_path: Path) -> None:
    state = tmp_path / "new"
    assert lock.holder(state) is None
    with lock.hold(state):
        assert lock.holder(state) == os.getpid()
        with pytest.raises(lock.LockError, match=f"another agent uses --state-dir {state}: stop it"), lock.hold(state):
            pass
        assert lock.holder(state) == os.getpid()
    assert lock.holder(state) is None
    with lock.hold(state):
        pass


def test_a_directory_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(lock.LockError, match="cannot be used: "), lock.hold(tmp_path / "file" / "x"):
        pass
