"""The launchd job: its property list, and what is asked of launchctl."""

from __future__ import annotations

import plistlib
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from anka_agent.membership.launchd import LABEL, Launchd, ServiceError, plist

STATE = Path("/Library/Application Support/anka-agent")


class Launchctl:
    """Remembers what it was asked; loaded or not; fails on demand."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []
        self.is_loaded = False
        self.fails = ""

    def __call__(self, argv: Sequence[str]) -> subprocess.CompletedProcess[str]:
        assert argv[0] == "/bin/launchctl"
        words = list(argv[1:])
        if words[0] == "print":
            return subprocess.CompletedProcess(argv, 0 if self.is_loaded else 113, "", "")
        self.asked.append(words)
        if words[0] == self.fails:
            return subprocess.CompletedProcess(argv, 5, "", "Bootstrap failed: 5:\n Input/output error")
        self.is_loaded = words[0] == "bootstrap"
        return subprocess.CompletedProcess(argv, 0, "", "")


@pytest.fixture
def launchctl() -> Launchctl:
    return Launchctl()


def daemon(launchctl: Launchctl, root: Path) -> Launchd:
    return Launchd(uid=0, root=root, program=("/opt/python", "-m", "anka_agent"), run=launchctl)


def test_the_property_list() -> None:
    job = plistlib.loads(plistlib.dumps(plist(["/opt/anka-agent"], STATE, Path("/Library/Logs/x"), user="anka")))
    assert job["Label"] == LABEL
    assert job["ProgramArguments"] == ["/opt/anka-agent", "launch", f"--state-dir={STATE}"]
    assert job["RunAtLoad"] is True
    assert job["KeepAlive"] is True
    # VMs and scripts outlive the agent.
    assert job["AbandonProcessGroup"] is True
    assert job["UserName"] == "anka"
    assert "/usr/local/bin" in job["EnvironmentVariables"]["PATH"].split(":")
    assert job["StandardErrorPath"] == "/Library/Logs/x/anka-agent.log"
    assert "UserName" not in plist(["x"], STATE, Path("/logs"))


def test_root_installs_a_daemon(launchctl: Launchctl, tmp_path: Path) -> None:
    service = daemon(launchctl, tmp_path)
    service.install(STATE)
    file = tmp_path / "Library" / "LaunchDaemons" / f"{LABEL}.plist"
    assert plistlib.loads(file.read_bytes())["ProgramArguments"][:3] == ["/opt/python", "-m", "anka_agent"]
    assert oct(file.stat().st_mode)[-3:] == "644"
    assert launchctl.asked == [["bootstrap", "system", str(file)]]
    service.remove()
    assert launchctl.asked[1:] == [["bootout", f"system/{LABEL}"]]
    assert not file.exists()
    service.remove()
    assert len(launchctl.asked) == 2


def test_one_that_runs_is_replaced(launchctl: Launchctl, tmp_path: Path) -> None:
    launchctl.is_loaded = True
    daemon(launchctl, tmp_path).install(STATE)
    assert [words[0] for words in launchctl.asked] == ["bootout", "bootstrap"]


def test_others_install_an_agent_of_their_session(launchctl: Launchctl, tmp_path: Path) -> None:
    service = Launchd(uid=501, home=tmp_path, run=launchctl)
    service.install(STATE)
    file = tmp_path / "Library" / "LaunchAgents" / f"{LABEL}.plist"
    assert launchctl.asked == [["bootstrap", "gui/501", str(file)]]
    with pytest.raises(ServiceError, match="--service-user needs root"):
        service.install(STATE, user="anka")


def test_what_launchctl_says_is_one_line(launchctl: Launchctl, tmp_path: Path) -> None:
    launchctl.fails = "bootstrap"
    with pytest.raises(ServiceError, match=r"launchctl bootstrap system .*: Bootstrap failed: 5: Input/output error$"):
        daemon(launchctl, tmp_path).install(STATE)


def test_a_folder_that_cannot_be_written(launchctl: Launchctl, tmp_path: Path) -> None:
    (tmp_path / "Library").write_text("a file")
    with pytest.raises(ServiceError, match=r"cannot be written: .*; join with sudo"):
        daemon(launchctl, tmp_path).install(STATE)
