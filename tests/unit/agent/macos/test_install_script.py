"""The installer: with a Python that only pretends, for the real one takes its time (test_install_lock.py)."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

import anka_agent

MACOS = Path(anka_agent.__file__).parent / "macos"
# `-m venv DIR` puts itself there as bin/python; everything else succeeds, unless FAIL is among its arguments.
PRETENDER = """#!/bin/sh
case "$*" in
*"$FAIL"*) echo "ERROR: as told"; exit 1 ;;
"-I -m venv "*) mkdir -p "$4/bin" && cp "$0" "$4/bin/python" ;;
"-I -m anka_agent version") echo "anka-agent 9.9" ;;
*sys.executable*) echo / ;;
esac
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    folder = tmp_path / "checkout"
    folder.mkdir()
    (folder / "requirements-build.txt").touch()
    return folder


def install(folder: Path, *what: str, fail: str = "nothing", script: Path = MACOS) -> subprocess.CompletedProcess[str]:
    python = folder / "python3"
    python.write_text(PRETENDER)
    python.chmod(0o755)
    places = {"ANKA_AGENT_PREFIX": f"{folder}/opt/agent", "ANKA_AGENT_BIN": f"{folder}/bin", "PYTHON": str(python)}
    return subprocess.run(
        ["/bin/sh", str(script / "install.sh"), *what], env={**os.environ, **places, "FAIL": fail},
        capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip


def test_it_installs_and_installs_again(tmp_path: Path, checkout: Path) -> None:
    for _ in range(2):
        done = install(tmp_path, str(checkout))
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout == (
            f"install.sh: anka-agent 9.9 is installed. Next: sudo {tmp_path}/bin/anka-agent join URL --token TOKEN\n"
        )
    command = [str(tmp_path / "bin" / "anka-agent"), "version"]
    env = {**os.environ, "FAIL": "nothing"}
    assert subprocess.run(command, env=env, capture_output=True, text=True, check=True).stdout == "anka-agent 9.9\n"
    assert sorted(path.name for path in (tmp_path / "opt").iterdir()) == ["agent"]


@pytest.mark.parametrize(
    ("what", "fail", "says"),
    [
        ([], "nothing", "say what to install"),
        (["/no/such"], "nothing", "/no/such: no such file or folder"),
        (["/"], "nothing", "/: no checkout: it has no requirements-build.txt"),
        (["{}"], "version_info", "is too old: 3.11 or newer is needed"),
        (["{}"], "-m venv", "-m venv failed"),
        (["{}"], "--requirement", "pip could not install {}: ERROR: as told (all of it: "),
        (["{}"], "requirements-build", "pip could not install {}: ERROR: as told (all of it: "),
        (["{}"], "--no-index", "pip could not install {}: ERROR: as told (all of it: "),
        (["{}"], "anka_agent version", "the installed agent does not run"),
    ],
)
def test_what_is_wrong_is_one_line_and_the_old_one_stays(
    what: list[str], fail: str, says: str, tmp_path: Path, checkout: Path
) -> None:
    old = tmp_path / "opt" / "agent"
    old.mkdir(parents=True)
    done = install(tmp_path, *(word.format(checkout) for word in what), fail=fail)
    assert done.returncode == 1
    assert says.format(checkout) in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert old.exists()


def test_without_its_lock_it_installs_nothing(tmp_path: Path, checkout: Path) -> None:
    shutil.copy(MACOS / "install.sh", tmp_path)
    done = install(tmp_path, str(checkout), script=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.endswith("requirements.txt: no such file; it belongs beside install.sh\n")
    assert not (tmp_path / "opt").exists()


def give_away(folder: Path) -> None:
    os.chown(folder, 12345, -1)


@pytest.mark.parametrize("open_folder", ["opt", "."])
@pytest.mark.parametrize(
    "spoil",
    [
        lambda folder: folder.chmod(0o775),
        lambda folder: folder.chmod(0o757),
        pytest.param(give_away, marks=pytest.mark.skipif("os.geteuid() != 0", reason="only root gives files away")),
    ],
    ids=["group", "others", "owner"],
)
def test_a_folder_that_others_may_write_gets_no_agent(
    spoil: Callable[[Path], None], open_folder: str, tmp_path: Path, checkout: Path
) -> None:
    (tmp_path / "opt").mkdir()
    spoil(tmp_path / open_folder)
    done = install(tmp_path, str(checkout))
    assert (done.returncode, done.stdout) == (1, "")
    assert f"install.sh: {(tmp_path / open_folder).resolve()}: others than root may write it" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert list((tmp_path / "opt").iterdir()) == []


def test_a_link_hides_no_such_folder(tmp_path: Path, checkout: Path) -> None:
    hidden = tmp_path / "anyones"
    hidden.mkdir()
    hidden.chmod(0o777)
    (tmp_path / "opt").symlink_to(hidden)
    assert f"{hidden}: others than root may write it" in install(tmp_path, str(checkout)).stderr


def test_a_sticky_folder_is_safe(tmp_path: Path, checkout: Path) -> None:
    sticky = tmp_path / "opt"
    sticky.mkdir()
    sticky.chmod(0o1777)
    assert install(tmp_path, str(checkout)).returncode == 0


def test_no_command_where_others_could_replace_it(tmp_path: Path, checkout: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin").chmod(0o775)
    done = install(tmp_path, str(checkout))
    assert (done.returncode, done.stderr) == (0, "")
    assert f"{tmp_path}/bin has no link to {tmp_path}/opt/agent/bin/anka-agent" in done.stdout
    assert done.stdout.endswith(f"Next: sudo {tmp_path}/opt/agent/bin/anka-agent join URL --token TOKEN\n")
    assert list((tmp_path / "bin").iterdir()) == []
