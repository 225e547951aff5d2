import os
from contextlib import ExitStack
from pathlib import Path

import pytest

from anka_dev.controlplane.filelock import locked
from anka_dev.errors import DevError


def quiet(_pid: str, _seconds: float) -> None:
    pass


def test_the_holder_is_named_to_whoever_waits_in_vain(tmp_path: Path) -> None:
    waits: list[str] = []
    file = tmp_path / "new" / "lock"
    with (
        locked(file, patience=0, waiting=quiet, busy=""),
        pytest.raises(DevError, match=f"^in use by {os.getpid()}$"),
        locked(file, patience=0.05, waiting=lambda pid, _: waits.append(pid), busy="in use by {pid}", interval=0.01),
    ):
        pytest.fail("two hold one lock")
    assert set(waits) == {str(os.getpid())}


def test_it_is_free_afterwards_even_after_an_error(tmp_path: Path) -> None:
    for _ in range(2):
        with pytest.raises(KeyError), locked(tmp_path / "lock", patience=0, waiting=quiet, busy="busy"):
            raise KeyError


def test_waiting_ends_when_the_holder_leaves(tmp_path: Path) -> None:
    file = tmp_path / "lock"
    first = ExitStack()
    first.enter_context(locked(file, patience=0, waiting=quiet, busy=""))

    def leave(_pid: str, _seconds: float) -> None:
        first.close()

    with locked(file, patience=10, waiting=leave, busy="busy", interval=0.001) as fd:
        assert os.pread(fd, 20, 0).decode().strip() == str(os.getpid())


def test_a_descriptor_kept_by_another_process_keeps_the_lock(tmp_path: Path) -> None:
    file = tmp_path / "lock"
    with locked(file, patience=0, waiting=quiet, busy="") as fd:
        kept = os.dup(fd)
    try:
        with pytest.raises(DevError), locked(file, patience=0, waiting=quiet, busy="busy"):
            pytest.fail("the lock was free")
    finally:
        os.close(kept)
    with locked(file, patience=0, waiting=quiet, busy="busy"):
        pass
