"""The program: what ends it before it runs."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from anka_operator.cli.main import main

KUBECONFIG = """
apiVersion: v1
kind: Config
current-context: here
contexts: [{name: here, context: {cluster: here, user: me}}]
clusters: [{name: here, cluster: {server: "http://127.0.0.1:1"}}]
users: [{name: me, user: {token: t}}]
"""


def test_a_port_in_use_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "kubeconfig"
    path.write_text(KUBECONFIG)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(SystemExit) as ended:
            main([f"--kubeconfig={path}", "--health-host=127.0.0.1", f"--health-port={port}"])
    assert ended.value.code == 1
    assert f"--health-port {port} can't be used" in capsys.readouterr().err
