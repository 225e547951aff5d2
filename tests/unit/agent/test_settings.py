"""Flags: what they become, and one clear line for each wrong one."""

from __future__ import annotations

import pytest

from anka_agent.cli.main import main
from anka_agent.settings import AgentSettings
from anka_runtime.settings import load


def test_flags_become_the_node() -> None:
    settings = load(
        AgentSettings,
        "anka-agent",
        [
            "--node-name=Mac 01.local", "--name=Mac 1", "--host=10.0.0.1", "--groups=ci, release,ci",
            "--max-vm-count=3",
            "--capacity-mode=resource", "--vcpu-override=8", "--ram-override=14", "--drain-mode", "--reserve-space=10",
            "--vm-prefix=x-",
        ],
    )  # fmt: skip
    assert settings.kube_name == "mac-01.local"
    assert settings.node().spec.to_api() == {
        "displayName": "Mac 1", "host": "10.0.0.1", "groups": ["ci", "release"], "capacityMode": "resource",
        "maxVmCount": 3, "vcpuOverride": 8, "ramOverrideGib": 14, "drainMode": True, "reserveSpacePercent": 10,
        "vmPrefix": "x-", "disableCentralLogging": False,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["run", "--max-vm-count=x"], "--max-vm-count: Input should be a valid integer"),
        (["run", "--max-vm-count=-1"], "--max-vm-count: Input should be greater than or equal to 0"),
        (["run", "--heartbeat=50"], "--lease-duration: must be more than --heartbeat (50 s)"),
        (["run", "--heartbeat=0"], "--heartbeat"),
        (["run", "--node-name=___"], "--node-name: '___' has no letter or digit"),
        (["run", "--vm-prefix=a/b"], "--vm-prefix: must be letters, digits, '.', '_' and '-'"),
        (["run", "--name=-x"], "--name: must be one line without control characters"),
        (["run", f"--name={'x' * 300}"], "--name: String should have at most 256 characters"),
        (["run", "--capacity-mode=both"], "capacity-mode"),
        (["run", "--health-port=70000"], "--health-port"),
        (["run", "--log-level=LOUD"], "log-level"),
        (["run", "--kubeconfig=/no/such/file"], "kubeconfig '/no/such/file' (the given path) does not exist"),
        (["jion"], "unknown command 'jion': see anka-agent --help"),
    ],
)
def test_bad_flags(argv: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(argv)
    assert caught.value.code == 2
    said = capsys.readouterr().err
    assert words in said
    assert "Traceback" not in said


def test_help_and_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--help"])
    assert caught.value.code == 0
    with pytest.raises(SystemExit) as caught:
        main([])
    assert caught.value.code == 2
    main(["version"])
    assert "  run      run the agent" in capsys.readouterr().out
