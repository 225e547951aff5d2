"""What the process of a container sees: each in a process of its own, for it changes what it runs in."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from localkube.pods.runtime import NO_HOOK

LOOK_UP = "import socket, sys; print(sorted({found[4][0] for found in socket.getaddrinfo(sys.argv[1], 80)}))"


def run(tmp_path: Path, *words: str, hook: str = NO_HOOK) -> subprocess.CompletedProcess[str]:
    names = tmp_path / "names.json"
    names.write_text(json.dumps({"rest.n.svc": ["127.1.1.1", "127.1.1.2"], "empty.n.svc": []}))
    return subprocess.run(
        [sys.executable, "-m", "localkube.pods.process_entry", hook, str(tmp_path / "account"), str(names), *words],
        env={"PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])},
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_services_have_names(tmp_path: Path) -> None:
    assert run(tmp_path, "python", "-c", LOOK_UP, "rest.n.svc").stdout == "['127.1.1.1', '127.1.1.2']\n"
    assert run(tmp_path, "python", "-c", LOOK_UP, "127.0.0.1").stdout == "['127.0.0.1']\n"
    assert "no endpoint of empty.n.svc is ready" in run(tmp_path, "python", "-c", LOOK_UP, "empty.n.svc").stderr


def test_the_hook_learns_the_command_and_where_its_service_account_is(tmp_path: Path) -> None:
    (tmp_path / "some_hook.py").write_text(
        "def prepare(command, folder):\n    raise SystemExit(f'{command} {folder}')\n"
    )
    done = run(tmp_path, "pytest", hook="some_hook:prepare")
    assert (done.returncode, done.stderr) == (1, f"pytest {tmp_path / 'account'}\n")


def test_no_such_command(tmp_path: Path) -> None:
    done = run(tmp_path, "no-such-program")
    assert (done.returncode, done.stderr) == (1, "there is no command no-such-program here\n")
