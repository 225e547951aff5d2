"""The process that a script or a push runs in: whatever happens, its result is written whole."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from anka_agent.jobs import runner
from support.processes import wait_for_end

ECHO = "import sys; print(sys.stdin.read().upper()); print('oops', file=sys.stderr); sys.exit(3)"


def prepare(directory: Path, program: str, *, script: str = "", limit: int = 1000) -> None:
    _prepare(directory, [sys.executable, "-c", program], script, 60, limit)


def prepare_hanging(directory: Path, program: str) -> None:
    """A program of the shell, which has begun long before its time ends, however busy the machine."""
    _prepare(directory, ["/bin/sh", "-c", program], "", 2.0, 1000)


def _prepare(directory: Path, command: list[str], script: str, timeout: float, limit: int) -> None:
    job = {"command": command, "timeout": timeout, "limit": limit}
    (directory / "job.json").write_text(json.dumps(job))
    (directory / "script").write_text(script)


def test_result_output_and_exit_code(tmp_path: Path) -> None:
    prepare(tmp_path, ECHO, script="hello")
    result = runner.run(str(tmp_path))
    assert result == {"return_code": 3, "did_timeout": False, "stdout": "HELLO\n", "stderr": "oops\n"}
    assert not (tmp_path / "script").exists(), "it may hold secrets"
    assert json.loads((tmp_path / "started.json").read_text())["pid"] == os.getpid()


def test_only_the_end_of_the_output_is_kept(tmp_path: Path) -> None:
    prepare(tmp_path, "print('x' * 100000 + 'end', end='')", limit=10)
    assert runner.run(str(tmp_path))["stdout"] == "xxxxxxxend"


def test_what_takes_too_long_is_ended_with_its_children(tmp_path: Path) -> None:
    pids = tmp_path / "child"
    prepare_hanging(tmp_path, f"sleep 600 & echo $! > {pids}; wait")
    result = runner.run(str(tmp_path))
    assert (result["return_code"], result["did_timeout"]) == (-1, True)
    wait_for_end(int(pids.read_text()))


def test_zombies_on_macos_take_no_result_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel of macOS refuses a signal to a group in which only zombies are left."""
    kill_group = os.killpg

    def refuse(group: int, number: int) -> None:
        if number == signal.SIGKILL:
            raise PermissionError(1, "Operation not permitted")
        kill_group(group, number)

    monkeypatch.setattr(os, "killpg", refuse)
    prepare_hanging(tmp_path, "echo begun; exec sleep 600")
    result = runner.run(str(tmp_path))
    assert (result["did_timeout"], result["stdout"]) == (True, "begun\n")


def test_a_command_that_does_not_exist(tmp_path: Path) -> None:
    prepare(tmp_path, "")
    (tmp_path / "job.json").write_text(json.dumps({"command": ["/no/such"], "timeout": 1, "limit": 10}))
    assert runner.run(str(tmp_path)) == {"return_code": 127, "errors": ["/no/such: No such file or directory"]}


def start(directory: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, runner.__file__, str(directory)], start_new_session=True)


def test_the_process_writes_its_result_in_one_move(tmp_path: Path) -> None:
    prepare(tmp_path, ECHO, script="hi")
    assert start(tmp_path).wait(60) == 0
    result: dict[str, Any] = json.loads((tmp_path / "result.json").read_text())
    assert (result["return_code"], result["stdout"]) == (3, "HI\n")
    assert result["finished_at"] > 0
    assert not list(tmp_path.glob("*.tmp"))


def test_a_cancelled_job_ends_without_a_result(tmp_path: Path) -> None:
    prepare(tmp_path, f"open({str(tmp_path / 'begun')!r}, 'w').close(); import time; time.sleep(60)")
    process = start(tmp_path)
    while not (tmp_path / "begun").exists():
        assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 1
    assert not (tmp_path / "result.json").exists()
