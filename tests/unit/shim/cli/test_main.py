"""`anka-shim`: wrong settings end in one line and exit code 2."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from anka_shim.cli.main import main

KUBECONFIG = """
apiVersion: v1
kind: Config
current-context: x
contexts: [{name: x, context: {cluster: x, user: x}}]
clusters: [{name: x, cluster: {server: "http://127.0.0.1:1"}}]
users: [{name: x, user: {token: abc}}]
"""


@pytest.mark.parametrize(
    "argv",
    [
        ["--port", "70000"],
        ["--port", "x"],
        ["--namespace", "Anka CI"],
        ["--registry-url", "registry:8089"],
        ["--max-count", "0"],
        ["--write-seconds", "0"],
        ["--batch-seconds", "61"],
        ["--controller-version", "1.2"],
        ["--access-log", "some"],
        ["--peers", "shim"],
        ["--peers", "shim:x"],
        ["--peers", "http://shim:8090"],
        ["--peers", "shim:8090,:8090"],
        ["--peer-seconds", "0"],
        ["--dedupe-external-id-seconds", "-1"],
        ["--rate-limit", "fast"],
        ["--rate-limit", "0/second"],
        ["--trusted-proxies", "proxy.example"],
        ["--pkg-dir", "/no/such/directory"],
        ["--log-level", "LOUD"],
        ["--kubeconfig", "/nonexistent/kubeconfig"],
    ],
)
def test_bad_flags_end_with_one_clear_line(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(argv)
    assert ended.value.code == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("anka-shim: ")


def test_a_port_in_use(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(KUBECONFIG)
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(SystemExit) as ended:
        main(["--kubeconfig", str(kubeconfig), "--port", str(taken.getsockname()[1])])
    assert ended.value.code == 2
    assert "cannot listen on 127.0.0.1:" in capsys.readouterr().err
