"""Properties of the real `anka` that its callers rely on, as one table: docs/reference/legacy-api.md#anka.

Packer recognises an answer by the missing newline, ignores exit codes and reads `id` in `registry list`; anklet
probes `anka` without arguments, and takes the last line that is not empty; scripts grep `"status": "valid"`.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from anka_sim.mac.harness import CommandResult, Mac


@pytest.fixture(scope="module")
def mac(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mac]:
    """An Intel Mac with a template `tpl`, a stopped VM `off`, a running one `on` and a suspended one `asleep`."""
    with Mac(tmp_path_factory.mktemp("faithful") / "mac", {"arch": "amd64", "vlans": ["7"]}) as made:
        for line in (
            "create --disk-size 40G tpl", "clone tpl off", "clone tpl on", "start on",
            "clone tpl asleep", "start asleep", "suspend asleep",
        ):  # fmt: skip
            assert made.anka("-j", *line.split()).code == 0, line
        yield made


@dataclass(frozen=True)
class Case:
    line: str
    code: int = 0
    """Exit code, and the code in the answer."""
    says: str = ""
    """Part of the message."""
    body: Callable[[Any], bool] = lambda body: True


CASES = {
    "done is code 0 with an empty body": Case("stop off", body=lambda body: body == {}),
    "a missing VM is 3": Case("show nope", 3, "nope: not found"),
    "a missing source is 3": Case("clone nope new", 3, "nope: not found"),
    "a missing tag is 3": Case("clone tpl new --tag v9", 3, "tpl:v9: not found"),
    "a missing USB device is 3": Case("start --usb iphone off", 3, "usb device iphone: not found"),
    "a taken name is 18": Case("clone tpl off", 18, "off: already exists"),
    "a taken rule is 18": Case("modify off add port-forwarding -g 22 ssh", 18, "rule ssh already exists"),
    "a running VM is not changed": Case("modify on cpu 2", 16, "on: VM is running, stop it before modifying"),
    "nor is a suspended one": Case("modify asleep set cpu -c 2", 16, "asleep: VM is suspended, stop it"),
    "a shrinking disk is refused": Case("modify off disk -s 1G", 2, "cannot shrink"),
    "a VLAN needs bridge mode": Case("modify off set network-card --vlan 7", 1, "needs bridge mode"),
    "an unknown command": Case("frobnicate", 2, "unknown command"),
    "all VMs": Case("list", body=lambda rows: {row["name"] for row in rows} == {"tpl", "off", "on", "asleep"}),
    "a row without tag has no version": Case("list off", body=lambda rows: "version" not in rows[0]),
    "a stopped VM has no live part": Case("show off", body=lambda vm: not {"ip", "pid", "port_forwarding"} & set(vm)),
    "a running one has": Case("show on", body=lambda vm: {"ip", "pid", "port_forwarding", "vnc_port"} <= set(vm)),
    "arch is a number": Case("show off", body=lambda vm: vm["arch"] == 1 and vm["ram"] == "4G"),
    "describe says rule_name": Case(
        "describe off", body=lambda vm: vm["network_cards"][0]["port_forwarding_rules"][0]["rule_name"] == "ssh"
    ),
    "host ports count from 10000": Case("show on port", body=lambda rules: rules[0]["host_port"] >= 10000),
    "licence": Case("license show", body=lambda body: {"license_type", "status", "product", "expires"} <= set(body)),
    "version": Case("version", body=lambda body: {"product", "version", "build"} <= set(body)),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
@pytest.mark.parametrize("flag", ["-j", "--machine-readable"])
def test_answers(mac: Mac, case: Case, flag: str) -> None:
    answer = mac.anka(flag, *shlex.split(case.line))
    envelope = answer.envelope
    assert (answer.code, envelope["code"]) == (case.code, case.code)
    assert envelope["status"] == ("ERROR" if case.code else "OK")
    assert case.says in envelope["message"]
    assert case.code or case.body(envelope["body"]), envelope["body"]
    assert b"\n" not in answer.stdout, "one line, and no newline at its end"
    assert answer.stderr == b""


# Anka 3 -> Anka 2, and what `show VM PART` says afterwards.
DIALECTS = [
    ("cpu 6", "set cpu -c 6", "cpu", lambda body: body["cores"] == 6),
    ("ram 6G", "set ram 6G", "ram", lambda body: body["size"] == 6 << 30),
    ("disk -s 80G", "set hard-drive -s 80G", "disk", lambda body: body["size"] == 80 << 30),
    ("network -t bridge -v 7", "set network-card -t bridge --vlan 7", "network", lambda body: body["vlan"] == 7),
    ("network --no-local", "set network-card --no-local", "network", lambda body: body["local"] is False),
    ("display -c fbuf", "set display -c fbuf", "display", lambda body: body["controller"] == "fbuf"),
    ("port web 80", "add port-forwarding -g 80 web", "port", lambda body: body[-1]["guest_port"] == 80),
    ("port ssh -d", "delete port-forwarding ssh", "port", lambda body: body == []),
    ("name renamed", "set name renamed", "name", lambda body: body == "renamed"),
]


@pytest.mark.parametrize(("new", "old", "part", "holds"), DIALECTS, ids=[row[0] for row in DIALECTS])
def test_both_dialects_of_modify(mac: Mac, new: str, old: str, part: str, holds: Callable[[Any], bool]) -> None:
    seen = []
    for change in (new, old):
        uuid = mac.anka("-j", "clone", "tpl", "changing").body["uuid"]
        assert mac.anka("-j", "modify", uuid, *change.split()).envelope["body"] == {}
        seen.append(mac.anka("-j", "show", uuid, part).body)
        mac.anka("-j", "delete", "--yes", uuid)
    assert holds(seen[0])
    strip = [{key: value for key, value in one.items() if key != "mac_address"} if isinstance(one, dict) else one
             for one in seen]  # fmt: skip
    assert strip[0] == strip[1]


def test_anka_2_has_the_older_dialect_only(tmp_path: Path) -> None:
    with Mac(tmp_path / "old", {"arch": "amd64", "version": "2.5.7"}) as old:
        old.anka("-j", "create", "vm")
        assert old.anka("-j", "modify", "vm", "cpu", "2").code == 2
        assert old.anka("-j", "modify", "vm", "set", "cpu", "-c", "2").code == 0


# The exit code is the guest's own; there is no JSON, even for machines.
RUNS = [
    ("true", 0, b""),
    ("exit 7", 7, b""),
    ("echo hello", 0, b"hello\n"),
    ("exit 3", 3, b""),
    ("kill -9 $$", 137, b""),
]


@pytest.mark.parametrize(("script", "code", "output"), RUNS, ids=[row[0] for row in RUNS])
@pytest.mark.parametrize("flags", [(), ("-j",)], ids=["people", "machines"])
def test_run_answers_with_the_guests_exit_code(
    mac: Mac, flags: tuple[str, ...], script: str, code: int, output: bytes
) -> None:
    answer = mac.anka(*flags, "run", "on", "sh", "-c", script)
    assert (answer.code, answer.stdout) == (code, output)


def test_run_ends_with_125_when_the_vm_goes(mac: Mac) -> None:
    mac.anka("-j", "clone", "tpl", "going")
    running = mac.popen("run", "going", "sh", "-c", "echo up; exec sleep 600")
    assert running.stdout is not None
    assert running.stdout.readline() == b"up\n"
    mac.anka("-j", "delete", "--yes", "going")
    assert running.wait(20) == 125


def test_no_arguments_exit_with_0(mac: Mac) -> None:
    answer = mac.anka()
    assert answer.code == 0
    assert answer.stdout.startswith(b"usage: anka")


def test_a_script_can_grep_the_licence(mac: Mac) -> None:
    assert b'"status": "valid"' in mac.anka("-j", "license", "show").stdout


def test_people_get_errors_on_stderr_and_no_json(mac: Mac) -> None:
    assert mac.anka("show", "nope") == CommandResult(3, b"", b"anka: nope: not found\n")


def test_two_usb_devices_of_one_name_are_two(tmp_path: Path) -> None:
    """Devices are told apart by where they are plugged in; a name or group means any that is free."""
    phones = [{"name": "iPhone", "location": at, "group": "phones"} for at in ("336675856", "336675857")]
    with Mac(tmp_path / "usb", {"arch": "amd64", "usb": phones}) as host:
        for name, wanted in (("one", "iPhone"), ("two", "phones")):
            host.anka("-j", "create", name)
            assert host.anka("-j", "start", "--usb", wanted, name).code == 0
        owners = {row["location"]: row.get("vm") for row in host.anka("-j", "usb", "list").body}
        assert owners == {"336675856": "one", "336675857": "two"}
        host.anka("-j", "create", "three")
        refused = host.anka("-j", "start", "--usb", "phones", "three")
        assert (refused.code, refused.envelope["message"]) == (16, "usb device phones is claimed by one")
        host.anka("-j", "stop", "--force", "one")
        assert host.anka("-j", "start", "-d", "336675856", "three").code == 0, "a stopped VM holds none"


def test_commands_are_recorded_with_their_outcome(mac: Mac) -> None:
    mac.anka("-j", "show", "recorded")
    entry = next(entry for entry in reversed(mac.commands()) if entry["argv"][-1] == "recorded")
    assert (entry["argv"], entry["code"]) == (["-j", "show", "recorded"], 3)
