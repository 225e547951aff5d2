from __future__ import annotations

import socket
from pathlib import Path

import pytest

from anka_crds.process.settings import load
from anka_shim.command import main
from anka_shim.settings import ShimSettings
from anka_shim.version import package_version

KUBECONFIG = """
apiVersion: v1
kind: Config
current-context: x
contexts: [{name: x, context: {cluster: x, user: x}}]
clusters: [{name: x, cluster: {server: "http://127.0.0.1:1"}}]
users: [{name: x, user: {token: abc}}]
"""


def test_defaults_keep_others_away() -> None:
    settings = load(ShimSettings, "anka-shim", [])
    assert (settings.host, settings.port, settings.namespace) == ("127.0.0.1", 8090, "anka-ci")
    assert settings.keep_alive_seconds > 120


def test_help_says_that_there_is_no_authentication(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        load(ShimSettings, "anka-shim", ["--help"])
    assert ended.value.code == 0
    assert "NO AUTHENTICATION" in capsys.readouterr().out


def test_the_registry_url_is_kept_without_its_last_slash() -> None:
    assert load(ShimSettings, "anka-shim", ["--registry-url", "http://r:8089/"]).registry_url == "http://r:8089"


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


def test_peers_are_addresses_with_commas_between_them() -> None:
    settings = load(ShimSettings, "anka-shim", ["--peers", " shim.anka-system:8090, [fd00::1]:80,10.0.0.1:1 "])
    assert settings.peer_addresses == [("shim.anka-system", 8090), ("fd00::1", 80), ("10.0.0.1", 1)]
    assert load(ShimSettings, "anka-shim", []).peer_addresses == []


def test_what_is_off_unless_asked_for() -> None:
    settings = load(ShimSettings, "anka-shim", [])
    assert (settings.rate_limit, settings.trusted_proxies, settings.dedupe_external_id_seconds) == ("", "", 0)
    assert settings.agent_version == package_version()
    many = load(ShimSettings, "anka-shim", ["--trusted-proxies", "10.0.0.0/8,::1,*", "--rate-limit", "9 per 5 minutes"])
    assert many.rate_limit == "9 per 5 minutes"
