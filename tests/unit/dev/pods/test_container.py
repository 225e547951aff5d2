"""What the process of a container sees: each in a process of its own, for it changes what it runs in."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

LOOK_UP = "import socket, sys; print(sorted({found[4][0] for found in socket.getaddrinfo(sys.argv[1], 80)}))"


def run(tmp_path: Path, *words: str) -> subprocess.CompletedProcess[str]:
    names = tmp_path / "names.json"
    names.write_text(json.dumps({"rest.n.svc": ["127.1.1.1", "127.1.1.2"], "empty.n.svc": []}))
    return subprocess.run(
        [sys.executable, "-m", "anka_dev.pods.container", str(tmp_path / "account"), str(names), *words],
        env={"KUBERNETES_SERVICE_HOST": "127.0.0.1", "KUBERNETES_SERVICE_PORT": "1"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_services_have_names(tmp_path: Path) -> None:
    assert run(tmp_path, "python", "-c", LOOK_UP, "rest.n.svc").stdout == "['127.1.1.1', '127.1.1.2']\n"
    assert run(tmp_path, "python", "-c", LOOK_UP, "127.0.0.1").stdout == "['127.0.0.1']\n"
    assert "no endpoint of empty.n.svc is ready" in run(tmp_path, "python", "-c", LOOK_UP, "empty.n.svc").stderr


def test_its_account_is_where_it_was_mounted(tmp_path: Path) -> None:
    """A command of ours, which finds no token there and says where it looked."""
    done = run(tmp_path, "anka-operator")
    assert done.returncode != 0
    assert f"its service account in {tmp_path / 'account'} cannot be used" in done.stderr


def test_no_such_command(tmp_path: Path) -> None:
    done = run(tmp_path, "anka-nothing")
    assert (done.returncode, done.stderr) == (1, "there is no command anka-nothing here\n")
