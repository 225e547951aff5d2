import os
from contextlib import ExitStack
from pathlib import Path

import pytest

from localkube.errors import DevError
from localkube.filelock import hold_lock


def quiet(_pid: str, _seconds: float) -> None:
    pass


def test_the_error_names_the_holder(tmp_path: Path) -> None:
    waits: list[str] = []
    file = tmp_path / "new" / "lock"
    with (
        hold_lock(file, timeout=0, on_wait=quiet, busy=""),
        pytest.raises(DevError, match=f"^in use by {os.getpid()}$"),
        hold_lock(file, timeout=0.05, on_wait=lambda pid, _: waits.append(pid), busy="in use by {pid}", interval=0.01),
    ):
        pytest.fail("two processes hold one lock")
    assert set(waits) == {str(os.getpid())}


def test_it_is_free_afterwards_even_after_an_error(tmp_path: Path) -> None:
    for _ in range(2):
        with pytest.raises(KeyError), hold_lock(tmp_path / "lock", timeout=0, on_wait=quiet, busy="busy"):
            raise KeyError


def test_waiting_ends_when_the_holder_leaves(tmp_path: Path) -> None:
    file = tmp_path / "lock"
    first = ExitStack()
    first.enter_context(hold_lock(file, timeout=0, on_wait=quiet, busy=""))

    def leave(_pid: str, _seconds: float) -> None:
        first.close()

    with hold_lock(file, timeout=10, on_wait=leave, busy="busy", interval=0.001) as fd:
        assert os.pread(fd, 20, 0).decode().strip() == str(os.getpid())


def test_a_descriptor_kept_by_another_process_keeps_the_lock(tmp_path: Path) -> None:
    file = tmp_path / "lock"
    with hold_lock(file, timeout=0, on_wait=quiet, busy="") as fd:
        kept = os.dup(fd)
    try:
        with pytest.raises(DevError), hold_lock(file, timeout=0, on_wait=quiet, busy="busy"):
            pytest.fail("the lock was free")
    finally:
        os.close(kept)
    with hold_lock(file, timeout=0, on_wait=quiet, busy="busy"):
        pass
