"""What may be typed after `join`, and what of it is written down."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from anka_agent.cli.ankacluster import translate
from anka_agent.cli.joined import with_joined_file
from anka_agent.cli.main import main
from anka_agent.membership.files import Files
from anka_agent.membership.settings import JoinSettings
from anka_agent.settings import AgentSettings
from anka_runtime.settings import load
from localkube.controlplane.certificates import make_pki

URL = "https://cluster.example:6443"


def join(*argv: str) -> JoinSettings:
    return load(JoinSettings, "anka-agent join", translate([URL, "--token=t", *argv]).argv)


def test_flags_as_users_of_ankacluster_know_them() -> None:
    settings = join(
        "--groups", "ios,ci", "--name", "Mac 7", "--host", "10.0.0.7", "--node-id", "mac-07", "--max-vm-count", "3",
        "--capacity-mode", "resource", "--vcpu-override", "8", "--ram-override", "14", "--drain-mode",
        "--reserve-space", "15%", "--heartbeat", "5s", "--vm-prefix", "x-", "--num-workers", "4",
    )  # fmt: skip
    assert (settings.url, settings.token, settings.service) == (URL, "t", True)
    assert settings.kube_name == "mac-07"
    assert settings.node().spec.to_api() == {
        "displayName": "Mac 7", "host": "10.0.0.7", "groups": ["ios", "ci"], "capacityMode": "resource",
        "maxVmCount": 3, "vcpuOverride": 8, "ramOverrideGib": 14, "drainMode": True, "reserveSpacePercent": 15,
        "vmPrefix": "x-", "disableCentralLogging": False,
    }  # fmt: skip
    assert (settings.heartbeat, settings.num_workers) == (5.0, 4)


def test_only_what_was_said_about_the_agent_is_kept() -> None:
    kept = join("--max-vm-count=3", "--anka=bin/anka", "--no-service", "--log-format=text").to_agent_settings()
    assert kept == {"max_vm_count": 3, "anka": str(Path("bin/anka").absolute()), "log_format": "text"}


def test_files_of_the_registry_are_found_from_another_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    make_pki(tmp_path).ca.certificate.rename(tmp_path / "own-ca.pem")
    kept = join("--registry-url=https://r", "--registry-ca-file=own-ca.pem").to_agent_settings()
    assert kept == {"registry_url": "https://r", "registry_ca_file": str(tmp_path / "own-ca.pem")}


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        ([], "the following arguments are required: URL; see --help"),
        ([URL], "--token: is needed: `kubectl create serviceaccount NAME --namespace anka-joining` and"),
        (["http://c", "--token=t"], "--url: must be the https:// URL of a Kubernetes API"),
        ([URL, "--token=t", "--ca-cert=/no/such"], "--ca-cert /no/such cannot be read: No such file or directory"),
        ([URL, "--token=t", "--ca-data=%"], "--ca-data is not base64"),
        ([URL, "--token=t", f"--ca-data={base64.b64encode(b'x').decode()}"], "not a certificate in PEM form"),
        (
            [URL, "--token=t", "--ca-data=eA==", "--insecure-skip-tls-verify"],
            "give one of --ca-cert, --ca-data and --insecure-skip-tls-verify",
        ),
        ([URL, "--token=t", "--reserve-space=x10GB"], "--reserve-space: is a share of the disk in percent"),
        ([URL, "--token=t", "--reserve-space=9999TB"], "--reserve-space: is more than the disk has"),
        ([URL, "--api-key-id=me", "--token=t"], "join: --api-key-id: a Mac joins with a token here: give --token"),
        ([URL, "--token=t", "--heartbeat=soon"], "--heartbeat"),
        ([URL, "--token=t", "--nonsense"], "--nonsense"),
    ],
)
def test_bad_flags(argv: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["join", *argv])
    said = capsys.readouterr().err
    assert says in said
    assert "Traceback" not in said
    assert caught.value.code == 2


def test_a_bad_token_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["join", URL, "--token=t", f"--state-dir={tmp_path}", "--anka=/no/anka"])
    assert caught.value.code == 1
    assert "/no/anka: no such command: install Anka on this Mac" in capsys.readouterr().err


def test_run_takes_flags_before_environment_before_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = Files(tmp_path)
    files.write({"max_vm_count": 3, "num_workers": 4, "node_name": "mac-07"}, "kubeconfig", "token")
    monkeypatch.setenv("ANKA_NUM_WORKERS", "5")
    argv = [f"--state-dir={tmp_path}", "--node-name=mac-08"]
    settings = with_joined_file(AgentSettings)("anka-agent run", argv, "")
    assert (settings.max_vm_count, settings.num_workers, settings.node_name) == (3, 5, "mac-08")
    assert settings.state_dir == tmp_path


@pytest.mark.parametrize(("text", "says"), [("{", "cannot be read"), ("[]", "is not a JSON object of settings")])
def test_a_broken_settings_file_is_one_line(
    text: str, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Files(tmp_path).settings.write_text(text)
    with pytest.raises(SystemExit) as caught:
        main(["run", f"--state-dir={tmp_path}"])
    assert caught.value.code == 2
    assert f"{tmp_path}/agent.json {says}" in capsys.readouterr().err
