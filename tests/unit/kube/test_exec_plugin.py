from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from anka_kube.exec_plugin import EXTENSION, ExecCredential, run

V1 = "client.authentication.k8s.io/v1"
CLUSTER = {"server": "https://api", "extensions": [{"name": EXTENSION, "extension": {"audience": "a"}}]}


def settings(code: str, **more: Any) -> dict[str, Any]:
    return {"apiVersion": V1, "command": sys.executable, "args": ["-c", code], **more}


def prints(status: Any, version: str = V1) -> str:
    answer = {"apiVersion": version, "kind": "ExecCredential", "status": status}
    return f"print({json.dumps(answer)!r})"


def test_what_it_prints(tmp_path: Path) -> None:
    status = {"token": "t", "expirationTimestamp": "2026-01-01T00:00:00Z"}
    assert run(settings(prints(status)), {}, tmp_path) == ExecCredential(
        "t", None, None, datetime(2026, 1, 1, tzinfo=UTC)
    )


def test_what_it_is_told(tmp_path: Path) -> None:
    code = (
        "import json, os, sys; "
        "info = json.loads(os.environ['KUBERNETES_EXEC_INFO']); "
        "info['status'] = {'token': json.dumps([info['spec'], os.environ['X'], os.getcwd(), sys.stdin.read()])}; "
        "print(json.dumps(info))"
    )
    more = {"env": [{"name": "X", "value": "y"}], "provideClusterInfo": True}
    told = json.loads(run(settings(code, **more), CLUSTER, tmp_path).token or "")
    assert told == [{"interactive": False, "cluster": {**CLUSTER, "config": {"audience": "a"}}}, "y", str(tmp_path), ""]
    told = json.loads(run(settings(code, env=more["env"]), CLUSTER, tmp_path).token or "")
    assert told[0] == {"interactive": False}


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("import sys; sys.exit('not\\nlogged in')", "it ended with exit code 1: not logged in"),
        ("print('hello')", "it printed no ExecCredential"),
        ("print('[]')", "it printed no ExecCredential"),
        (prints(None), "it printed no ExecCredential"),
        (prints({"token": "t"}, "v9"), "it speaks v9, not client.authentication.k8s.io/v1"),
        ("while True: print('x' * 65536)", "it printed more than 1024 KiB"),
        (prints({}), "it printed neither a token nor a certificate with its key"),
        (prints({"clientCertificateData": "c"}), "it printed neither a token nor a certificate with its key"),
    ],
)
def test_what_goes_wrong(tmp_path: Path, code: str, words: str) -> None:
    with pytest.raises(ValueError, match=f"^{words}$"):
        run(settings(code), {}, tmp_path)


def test_a_command_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        run({"apiVersion": V1, "command": "/no/such/plugin"}, {}, tmp_path)
