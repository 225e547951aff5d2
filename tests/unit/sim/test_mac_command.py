"""`anka-sim mac`."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from anka_sim import cli, mac


def _run(*argv: str) -> int:
    return cli.main(["mac", *argv])


def test_create_and_tend(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home = str(tmp_path / "mac-7")
    argv = [
        "--arch",
        "amd64",
        "--cpu",
        "12",
        "--ram",
        "32G",
        "--disk",
        "1T",
        "--slots",
        "5",
        "--registry",
        "http://r:8089",
    ]
    assert _run("create", home, *argv, "--start-delay", "1", "2", "--network-delay", "3", "--pull-rate", "200M") == 0
    executable = capsys.readouterr().out.strip()
    assert executable == f"{home}/bin/anka"
    config = json.loads((tmp_path / "mac-7" / "config.json").read_text())
    assert config == {
        "name": "mac-7",
        "arch": "amd64",
        "cpu_cores": 12,
        "ram_bytes": 32 << 30,
        "disk_bytes": 1 << 40,
        "max_running": 5,
        "delays": {"start": [1.0, 2.0], "network": 3.0, "pull_bytes_per_second": 200 << 20},
        "registries": [{"name": "default", "url": "http://r:8089", "default": True}],
    }
    try:
        subprocess.run([executable, "create", "vm"], check=True, capture_output=True)
        _run("vms", home)
        assert "vm" in capsys.readouterr().out
        _run("fault", home, "--command", "list", "--code", "9", "--message", "broken", "--times", "1")
        assert subprocess.run([executable, "list"], capture_output=True, check=False).returncode == 9
        assert subprocess.run([executable, "list"], capture_output=True, check=False).returncode == 0
        _run("fault", home)
        _run("fault", home, "--clear")
        assert subprocess.run([executable, "list"], capture_output=True, check=False).returncode == 0
        _run("log", home)
        assert [line.split(maxsplit=4)[3:] for line in capsys.readouterr().out.splitlines()] == [
            ["0", "anka create vm"],
            ["9", "anka list"],
            ["0", "anka list"],
            ["0", "anka list"],
        ]
        subprocess.run([executable, "start", "vm"], check=False)
        assert _run("stop", home) == 0
        listed = subprocess.run([executable, "-j", "list", "-r"], capture_output=True, check=True)
        assert json.loads(listed.stdout)["body"] == []
    finally:
        mac.power_off(home)


@pytest.mark.parametrize("action", ["stop", "vms", "log", "fault"])
def test_a_directory_that_is_not_a_mac(tmp_path: Path, capsys: pytest.CaptureFixture[str], action: str) -> None:
    assert _run(action, str(tmp_path / "nothing")) == 1
    assert "is not a simulated Mac" in capsys.readouterr().err


def test_bad_size(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run("create", str(tmp_path / "mac"), "--ram", "much") == 1
    assert "--ram: 'much' is not a size" in capsys.readouterr().err
