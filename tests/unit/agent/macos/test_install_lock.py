"""The installer with the real pip, and two wheels that are made here: only what the lock knows comes in."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import anka_agent

SCRIPT = Path(anka_agent.__file__).parent / "macos" / "install.sh"
AGENT = "import locked_thing\nprint('anka-agent', locked_thing.VERSION)\n"


def make_wheel(folder: Path, name: str, version: str, files: dict[str, str]) -> Path:
    wheel = folder / f"{name}-{version}-py3-none-any.whl"
    about = f"{name}-{version}.dist-info"
    files = {
        **files,
        f"{about}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{about}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{path},,\n" for path in [*files, f"{about}/RECORD"])
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, text in {**files, f"{about}/RECORD": record}.items():
            entry = zipfile.ZipInfo(path)
            entry.external_attr = 0o100777 << 16
            archive.writestr(entry, text)
    return wheel


class Installation:
    """A folder with the script, a lock of its own, and a wheel of the agent; all others come from `wheels`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.prefix = folder / "opt" / "anka-agent"
        self.wheels = folder / "wheels"
        self.wheels.mkdir()
        shutil.copy(SCRIPT, folder)
        thing = make_wheel(self.wheels, "locked_thing", "1.0", {"locked_thing.py": "VERSION = '1.0'\n"})
        self.hash = hashlib.sha256(thing.read_bytes()).hexdigest()
        self.agent = make_wheel(
            folder, "anka_cloud", "9.9", {"anka_agent/__init__.py": "", "anka_agent/__main__.py": AGENT}
        )

    def run(self, lock: str) -> subprocess.CompletedProcess[str]:
        (self.folder / "requirements.txt").write_text(lock + "\n")
        settings = {
            "ANKA_AGENT_PREFIX": str(self.prefix),
            "ANKA_AGENT_BIN": str(self.folder / "bin"),
            "PYTHON": sys.executable,
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": str(self.wheels),
        }
        return subprocess.run(
            ["/bin/sh", "install.sh", self.agent.name],
            env={**os.environ, **settings}, cwd=self.folder, umask=0, capture_output=True, text=True, check=False,
        )  # fmt: skip


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    return Installation(tmp_path_factory.mktemp("install"))


@pytest.fixture(scope="module")
def installed(installation: Installation) -> Installation:
    done = installation.run(f"locked-thing==1.0 --hash=sha256:{installation.hash}")
    assert (done.returncode, done.stderr) == (0, "")
    assert "anka-agent 1.0 is installed" in done.stdout
    return installation


def test_nobody_else_can_write_what_root_will_run(installed: Installation) -> None:
    found = [installed.prefix, *installed.prefix.rglob("*"), installed.folder / "bin"]
    assert {"locked_thing.py", "__main__.py", "anka-agent"} <= {path.name for path in found}
    assert [path for path in found if not path.is_symlink() and path.stat().st_mode & 0o022] == []
    assert {path.lstat().st_uid for path in found} == {os.geteuid()}


def test_the_command_runs_nothing_of_the_folder_that_it_is_called_in(installed: Installation, tmp_path: Path) -> None:
    for name in ("anka_agent.py", "locked_thing.py", "runpy.py"):
        (tmp_path / name).write_text("print('anybody')\n")
    done = subprocess.run(
        [installed.folder / "bin" / "anka-agent"], cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout == "anka-agent 1.0\n"


@pytest.mark.parametrize(
    ("lock", "says"),
    [
        (f"locked-thing==1.0 --hash=sha256:{'0' * 64}", "THESE PACKAGES DO NOT MATCH THE HASHES"),
        ("locked-thing==1.0", "ERROR: Hashes are required in --require-hashes mode"),
    ],
    ids=["another file", "no hash"],
)
def test_what_the_lock_does_not_know_is_refused_and_the_old_one_stays(
    lock: str, says: str, installed: Installation
) -> None:
    before = installed.prefix.stat().st_ino
    done = installed.run(lock)
    assert (done.returncode, done.stdout) == (1, "")
    assert f"install.sh: pip could not install {installed.agent.name}: " in done.stderr
    assert says in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert installed.prefix.stat().st_ino == before
