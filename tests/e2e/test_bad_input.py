"""Bad input of every kind: one clear line that says what to do, never a traceback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from anka_dev.cloud import LocalCloud

pytestmark = pytest.mark.e2e

KUBECONFIG = """
apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: "https://127.0.0.1:1"}}]
users: [{name: u, user: {token: t}}]
contexts: [{name: x, context: {cluster: c, user: u}}]
current-context: x
"""


def run(module: str, *arguments: str, cwd: Path, path: str | None = None) -> subprocess.CompletedProcess[str]:
    env = {name: value for name, value in os.environ.items() if name not in {"KUBECONFIG", "KUBERNETES_SERVICE_HOST"}}
    if path is not None:
        env["PATH"] = path
    return subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=cwd,
        env=env,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("module", "arguments", "expected"),
    [
        ("anka_operator", ["--health-port=high"], "--health-port"),
        ("anka_operator", ["--bogus"], "unrecognized arguments: --bogus"),
        ("anka_operator", [], "kubeconfig"),
        ("anka_operator", ["--kubeconfig=/no/such/file"], "/no/such/file"),
        ("anka_operator", ["--kubeconfig=broken.yaml"], "broken.yaml"),
        ("anka_shim", ["--port=99999"], "--port"),
        ("anka_shim", ["--kubeconfig=/no/such/file"], "/no/such/file"),
        ("anka_agent", ["run", "--max-vm-count=many"], "--max-vm-count"),
        ("anka_agent", ["run", "--capacity-mode=guess"], "--capacity-mode"),
        ("anka_agent", ["fly"], "fly"),
        ("anka_agent", ["run", "--kubeconfig=/no/such/file"], "/no/such/file"),
        ("anka_agent", ["run", "--kubeconfig=good.yaml", "--anka=/no/such/anka", "--state-dir=state"], "/no/such/anka"),
        ("anka_dev", ["control-plane"], "ACTION"),
        ("anka_dev", ["mac", "stop", "nowhere"], "nowhere"),
    ],
)
def test_flags_and_files(module: str, arguments: list[str], expected: str, tmp_path: Path) -> None:
    (tmp_path / "broken.yaml").write_text("{not: yaml: at all")
    (tmp_path / "good.yaml").write_text(KUBECONFIG)
    done = run(module, *arguments, cwd=tmp_path)
    assert done.returncode in (1, 2), done
    assert expected in done.stderr
    assert "Traceback" not in done.stderr + done.stdout
    said = [line for line in done.stderr.splitlines() if line and not line.startswith(("usage:", " "))]
    assert len(said) == 1, done.stderr


def test_no_anka_in_path(tmp_path: Path) -> None:
    (tmp_path / "good.yaml").write_text(KUBECONFIG)
    arguments = ("run", "--kubeconfig=good.yaml", "--state-dir=state")
    done = run("anka_agent", *arguments, cwd=tmp_path, path=str(tmp_path))
    assert done.returncode == 2
    assert "anka" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("module", "arguments"),
    [
        ("anka_operator", ["--health-port=0"]),
        ("anka_shim", ["--port=0"]),
    ],
)
def test_an_unreachable_api_is_one_line_and_not_the_end(module: str, arguments: list[str], tmp_path: Path) -> None:
    (tmp_path / "kube.yaml").write_text(KUBECONFIG)
    process = subprocess.Popen(
        [sys.executable, "-m", module, "--kubeconfig=kube.yaml", "--log-format=text", *arguments],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    lines: list[str] = []
    port = 0
    try:
        for line in process.stderr:
            lines.append(line)
            if "port=" in line:
                port = int(line.split("port=")[1].split()[0])
            if port and "127.0.0.1:1" in line:
                break
        assert process.poll() is None
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=60)
        assert refused.value.code == 503
        refused.value.close()
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/livez", timeout=60) as alive:
            assert alive.status == 200
    finally:
        process.terminate()
        _, rest = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "Traceback" not in "".join(lines) + rest


def envelope(cloud: LocalCloud, method: str, path: str, body: bytes) -> dict[str, object]:
    request = urllib.request.Request(cloud.url + path, method=method, data=body)
    with urllib.request.urlopen(request, timeout=60) as answer:
        result = json.loads(answer.read())
    assert isinstance(result, dict)
    return result


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"{", "JSON"),
        (b"[]", "object"),
        (b"{}", "vmid"),
        (b'{"vmid": "no-such"}', "VM not in the registry"),
        (b'{"vmid": "macos-15", "tag": "no such"}', "No such tag no such"),
        (b'{"vmid": "macos-15", "priority": 20000}', "priority"),
        (b'{"vmid": "macos-15", "startup_script": "%%%"}', "illegal base64 data at input byte 0"),
        (b'{"vmid": "macos-15", "count": 100000}', "count"),
        (b'{"vmid": "macos-15", "node_id": "no-such-mac"}', "no-such-mac"),
        ('{"vmid": "macos-15", "tag": "caf\xe9"}'.encode("latin-1"), "No such tag caf\xe9"),
    ],
)
def test_rest_bodies(cloud: LocalCloud, body: bytes, message: str) -> None:
    answer = envelope(cloud, "POST", "/api/v1/vm", body)
    assert answer["status"] == "FAIL"
    assert message in str(answer["message"])
    assert "\n" not in str(answer["message"])
