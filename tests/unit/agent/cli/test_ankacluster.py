"""Every flag of `ankacluster join`: what it is here, or what is said of it."""

from __future__ import annotations

from typing import Any

import pytest

from anka_agent.cli.ankacluster import INSTEAD, SAME, UNNEEDED, UNNEEDED_VALUES, translate
from anka_agent.cli.main import main
from anka_agent.membership.settings import JoinSettings
from anka_agent.settings import share_of_disk
from anka_runtime.settings import load

URL = "https://cluster.example:6443"

# `ankacluster join --help` of 1.41, and --vm-prefix and --force-overrides-in-resource-mode of 1.50: flag, a value that
# it takes ("" for none), and what it sets here: a setting, or what becomes of it.
FLAGS: list[tuple[str, str, Any]] = [
    ("--api-key-file", "key", INSTEAD),
    ("--api-key-id", "me", INSTEAD),
    ("--api-key-string", "key", INSTEAD),
    ("-c", "CA", "ca_cert"),
    ("--cacert", "CA", "ca_cert"),
    ("-M", "resource", {"capacity_mode": "resource"}),
    ("--capacity-mode", "resource", {"capacity_mode": "resource"}),
    ("-C", "cert", INSTEAD),
    ("--cert", "cert", INSTEAD),
    ("-K", "key", INSTEAD),
    ("--cert-key", "key", INSTEAD),
    ("--cli-start-timeout", "1m30s", UNNEEDED_VALUES),
    ("--dial-timeout", "15s", UNNEEDED_VALUES),
    ("--dump-network-meter", "", UNNEEDED),
    ("--dump-network-meter-file-name", "x", UNNEEDED_VALUES),
    ("--enable-vm-monitor", "", {"enable_vm_monitor": True}),
    ("-f", "", UNNEEDED),
    ("--force-no-sudo", "", UNNEEDED),
    ("-g", "", UNNEEDED),
    ("--global", "", UNNEEDED),
    ("-G", "ios,ci", {"groups": "ios,ci"}),
    ("--groups", "ios,ci", {"groups": "ios,ci"}),
    ("--heartbeat", "5s", {"heartbeat": 5.0}),
    ("-H", "10.0.0.7", {"host": "10.0.0.7"}),
    ("--host", "10.0.0.7", {"host": "10.0.0.7"}),
    ("--ignore-arm-vm-limit", "", UNNEEDED),
    ("-k", "store", INSTEAD),
    ("--keystore", "store", INSTEAD),
    ("-p", "word", INSTEAD),
    ("--keystore-pass", "word", INSTEAD),
    ("--max-idle-connections-per-host", "50", UNNEEDED_VALUES),
    ("-m", "3", {"max_vm_count": 3}),
    ("--max-vm-count", "3", {"max_vm_count": 3}),
    ("-n", "Mac 7", {"name": "Mac 7"}),
    ("--name", "Mac 7", {"name": "Mac 7"}),
    ("--no-central-logging", "", {"disable_central_logging": True}),
    ("--node-id", "mac-07", {"node_name": "mac-07"}),
    ("--num-http-sample-threshold", "1000", UNNEEDED_VALUES),
    ("--num-workers", "4", {"num_workers": 4}),
    ("--optimization-threshold", "5", UNNEEDED_VALUES),
    ("-R", "14", {"ram_override": 14}),
    ("--ram-override", "14", {"ram_override": 14}),
    ("--request-timeout", "1m", UNNEEDED_VALUES),
    ("--reserve-space", "15%", {"reserve_space": 15}),
    ("--reserve-space", "1MB", {"reserve_space": 1}),
    ("-r", "CA", "ca_cert"),
    ("--root-cert", "CA", "ca_cert"),
    ("--skip-pull-error", "no-download-bytes", UNNEEDED_VALUES),
    ("--skip-tests", "", UNNEEDED),
    ("--skip-tls-verification", "", {"insecure_skip_tls_verify": True}),
    ("-t", "", UNNEEDED),
    ("--tls", "", UNNEEDED),
    ("--tls-handshake-timeout", "5s", UNNEEDED_VALUES),
    ("-V", "8", {"vcpu_override": 8}),
    ("--vcpu-override", "8", {"vcpu_override": 8}),
    ("--verbosity", "3", INSTEAD),
    ("--vm-stuck-delay", "20m", {"vm_stuck_delay": 1200.0}),
    ("--vm-stuck-timeout", "15s", {"vm_stuck_timeout": 15.0}),
    ("--drain-mode", "", {"drain_mode": True}),
    ("--vm-prefix", "x-", {"vm_prefix": "x-"}),
    ("--vm-prefix", "myPrefix", {"vm_prefix": "myPrefix-"}),
    ("--force-overrides-in-resource-mode", "", UNNEEDED),
]


@pytest.mark.parametrize("joined_by", [" ", "="])
@pytest.mark.parametrize(("flag", "value", "becomes"), FLAGS, ids=lambda value: value if isinstance(value, str) else "")
def test_every_flag(flag: str, value: str, becomes: Any, joined_by: str) -> None:
    words = [flag] if not value else [f"{flag}={value}"] if joined_by == "=" else [flag, value]
    found = translate([URL, "--token=t", *words, "--health-port=1"])
    if becomes is INSTEAD:
        assert [line.partition(":")[0] for line in found.refused] == [flag]
        return
    assert found.refused == []
    if becomes in (UNNEEDED, UNNEEDED_VALUES):
        assert found.argv == [URL, "--token=t", "--health-port=1"], "its value goes with it"
        assert [line.split()[0] for line in found.left_out] == [flag]
        return
    assert found.left_out == []
    if becomes == "ca_cert":
        # The file is read at once: that it is missed says that it is meant.
        with pytest.raises(SystemExit):
            load(JoinSettings, "join", found.argv)
        assert any(word.startswith("--ca-cert") for word in found.argv)
        return
    settings = load(JoinSettings, "join", found.argv)
    assert {name: getattr(settings, name) for name in becomes} == becomes


def test_every_word_is_in_one_list() -> None:
    lists = [set(SAME), set(INSTEAD), set(UNNEEDED), set(UNNEEDED_VALUES)]
    assert sum(map(len, lists)) == len(set().union(*lists))
    assert set().union(*lists) <= {flag for flag, *_ in FLAGS}


@pytest.mark.parametrize(
    ("size", "disk", "percent"),
    [("20GB", 10**12, 2), ("45gb", 10**11, 45), ("1B", 10**12, 1), ("140MB", 10**9, 14), ("1TB", 10**12, 100),
     ("155MB", 10**9, 16), ("0B", 10**9, 0)],
)  # fmt: skip
def test_a_size_is_a_share_of_the_disk(size: str, disk: int, percent: int) -> None:
    assert share_of_disk(size, disk) == percent


@pytest.mark.parametrize(
    ("size", "says"), [("GB", "or a size"), ("-1GB", "or a size"), ("2 XB", "or a size"), ("2GB", "more than the disk")]
)
def test_a_size_that_is_none(size: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        share_of_disk(size, 10**9)


def test_what_is_left_out_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["join", "http://no", "--token=t", "--force-no-sudo", "--optimization-threshold", "5"])
    said = capsys.readouterr().err
    assert "anka-agent join: --force-no-sudo is left out: no sudo is needed\n" in said
    assert "anka-agent join: --optimization-threshold is left out: room is made before" in said
    assert "unrecognized" not in said
