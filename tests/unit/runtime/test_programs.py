from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

from anka_runtime import programs
from anka_runtime.programs import ProgramError, run
from support.processes import wait_for_end

ENDLESS = "import os\nwhile True: os.write({}, b'x' * 65536)"


def test_output_errors_and_code(tmp_path: Path) -> None:
    code = "import os, sys; print(os.getcwd(), sys.stdin.read() == '', end=''); sys.stderr.write('no'); sys.exit(3)"
    done = run([sys.executable, "-c", code], seconds=60, cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (3, f"{tmp_path} True".encode(), b"no")


@pytest.mark.parametrize("stream", [1, 2])
def test_a_program_that_never_stops_printing_is_ended(monkeypatch: pytest.MonkeyPatch, stream: int) -> None:
    monkeypatch.setattr(programs, "OUTPUT_BYTES", 1 << 16)
    with pytest.raises(ProgramError, match=r"^it printed more than 64 KiB$"):
        run([sys.executable, "-c", ENDLESS.format(stream)], seconds=60)


def test_a_program_that_does_not_end_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    script = f"sleep 600 & echo $! > {tmp_path / 'pid'}; wait"
    with pytest.raises(ProgramError, match=r"^it did not end within 2 s$"):
        run(["/bin/sh", "-c", script], seconds=2)
    wait_for_end(int((tmp_path / "pid").read_text()))


@pytest.mark.parametrize("refusal", [ProcessLookupError, PermissionError])
def test_a_group_that_has_ended_needs_no_signal(monkeypatch: pytest.MonkeyPatch, refusal: type[OSError]) -> None:
    """macOS refuses a signal where only zombies are left."""

    def refuse(group: int, number: int) -> None:
        raise refusal

    monkeypatch.setattr(os, "killpg", refuse)
    programs.signal_group(1, signal.SIGKILL)


def test_a_program_that_is_not_there() -> None:
    with pytest.raises(FileNotFoundError):
        run(["/no/such/program"], seconds=1)
