"""The installer: with a Python that only pretends, for the real one would fetch packages."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

import anka_agent

SCRIPT = Path(anka_agent.__file__).parent / "macos" / "install.sh"
# `-m venv DIR` puts itself there as bin/python; everything else succeeds, unless FAIL is among its arguments.
PRETENDER = """#!/bin/sh
case "$*" in
*"$FAIL"*) exit 1 ;;
"-m venv "*) mkdir -p "$3/bin" && cp "$0" "$3/bin/python" ;;
"-m anka_agent version") echo "anka-agent 9.9" ;;
esac
"""


def install(folder: Path, *what: str, fail: str = "nothing") -> subprocess.CompletedProcess[str]:
    python = folder / "python3"
    python.write_text(PRETENDER)
    python.chmod(0o755)
    places = {"ANKA_AGENT_PREFIX": f"{folder}/opt/agent", "ANKA_AGENT_BIN": f"{folder}/bin", "PYTHON": str(python)}
    return subprocess.run(
        ["/bin/sh", str(SCRIPT), *what], env={**os.environ, **places, "FAIL": fail},
        capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip


def test_it_installs_and_installs_again(tmp_path: Path) -> None:
    for _ in range(2):
        done = install(tmp_path, str(tmp_path))
        assert done.returncode == 0, done.stderr
        assert "anka-agent 9.9 is installed. Next: sudo" in done.stdout
    command = [str(tmp_path / "bin" / "anka-agent"), "version"]
    env = {**os.environ, "FAIL": "nothing"}
    assert subprocess.run(command, env=env, capture_output=True, text=True, check=True).stdout == "anka-agent 9.9\n"
    assert sorted(path.name for path in (tmp_path / "opt").iterdir()) == ["agent"]


@pytest.mark.parametrize(
    ("what", "fail", "says"),
    [
        ([], "nothing", "say what to install"),
        (["/no/such"], "nothing", "/no/such: no such file or folder"),
        (["/"], "version_info", "is too old: 3.11 or newer is needed"),
        (["/"], "-m venv", "-m venv failed"),
        (["/"], "pip install", "pip could not install /"),
        (["/"], "anka_agent version", "the installed agent does not run"),
    ],
)
def test_what_is_wrong_is_one_line_and_the_old_one_stays(what: list[str], fail: str, says: str, tmp_path: Path) -> None:
    old = tmp_path / "opt" / "agent"
    old.mkdir(parents=True)
    done = install(tmp_path, *what, fail=fail)
    assert done.returncode == 1
    assert says in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert old.exists()
