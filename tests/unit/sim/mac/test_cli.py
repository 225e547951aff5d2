"""The real executable in a subprocess: exit codes, JSON forms, output for people."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from anka_sim.mac.harness import Mac

NOT_FOUND = 3


EXISTS = 18


USAGE = 2


BUSY = 16


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """One Mac with a template, a stopped VM and a running VM, for commands that only look or are refused."""
    config = {
        "arch": "amd64",
        "cpu_cores": 8,
        "usb": [{"name": "iphone", "id": "5", "location": "0x14100000"}],
        "registries": [{"name": "main", "url": "http://127.0.0.1:9", "default": True}],
    }
    with Mac(tmp_path_factory.mktemp("shared") / "mac", config) as mac:
        for line in ("create --disk-size 40G tpl", "clone tpl off", "clone tpl on", "start on"):
            answer = mac.anka("-j", *line.split())
            assert answer.code == 0, answer
        yield mac


def test_no_arguments_is_success_and_shows_usage(shared: Mac) -> None:
    answer = shared.anka()
    assert answer.code == 0
    assert answer.stdout.startswith(b"usage: anka")


# command line → exit code, part of the message
ERRORS = [
    ("show nope", NOT_FOUND, "nope: not found"),
    ("list nope", NOT_FOUND, "nope: not found"),
    ("describe nope", NOT_FOUND, "nope: not found"),
    ("start nope", NOT_FOUND, "nope: not found"),
    ("stop nope", NOT_FOUND, "nope: not found"),
    ("suspend nope", NOT_FOUND, "nope: not found"),
    ("delete --yes nope", NOT_FOUND, "nope: not found"),
    ("clone nope new", NOT_FOUND, "nope: not found"),
    ("modify nope cpu 2", NOT_FOUND, "nope: not found"),
    ("run nope true", NOT_FOUND, "nope: not found"),
    ("show tpl --tag nope", NOT_FOUND, "tpl:nope: not found"),
    ("clone tpl new --tag nope", NOT_FOUND, "tpl:nope: not found"),
    ("registry set nope", NOT_FOUND, "registry nope: not found"),
    ("registry -r nope list", NOT_FOUND, "registry nope: not found"),
    ("attach off nope", NOT_FOUND, "usb device nope: not found"),
    ("config nope", NOT_FOUND, "config nope: not found"),
    ("modify off delete port nope", NOT_FOUND, "port forwarding rule nope: not found"),
    ("clone tpl off", EXISTS, "off: already exists"),
    ("create tpl", EXISTS, "tpl: already exists"),
    ("modify off name tpl", EXISTS, "tpl: already exists"),
    ("modify off add port-forwarding -g 22 ssh", EXISTS, "rule ssh already exists"),
    ("registry add main http://127.0.0.1:9", EXISTS, "registry main: already exists"),
    ("clone on copy", BUSY, "on: VM is running, stop it before cloning"),
    ("modify on cpu 2", BUSY, "on: VM is running, stop it before modifying"),
    ("modify on set ram 4G", BUSY, "on: VM is running"),
    ("modify on add port-forwarding -g 80 web", BUSY, "on: VM is running"),
    ("suspend off", BUSY, "off: VM is not running"),
    ("reboot off", BUSY, "off: VM is not running"),
    ("view off", BUSY, "off: VM is not running"),
    ("mount off /tmp", BUSY, "off: VM is not running"),
    ("frobnicate", USAGE, "frobnicate: unknown command"),
    ("show", USAGE, "show: expected VM"),
    ("show off nope", USAGE, "unknown property nope"),
    ("list --wrong", USAGE, "--wrong"),
    ("list -f nope", USAGE, "unknown field nope"),
    ("delete off", USAGE, "--yes"),
    ("stop", USAGE, "expected VM"),
    ("run on", USAGE, "expected VM COMMAND"),
    ("cp /etc/hosts /tmp/x", USAGE, "one side must be VM:PATH"),
    ("modify off", USAGE, "expected VM PROPERTY"),
    ("modify off nope 3", USAGE, "unknown property nope"),
    ("modify off set", USAGE, "set what?"),
    ("modify off cpu many", USAGE, "not a whole number"),
    ("modify off cpu 9", USAGE, "between 1 and 8"),
    ("modify off ram lots", USAGE, "not a size"),
    ("modify off disk -s 1G", USAGE, "cannot shrink"),
    ("modify off network -t magic", USAGE, "not one of shared, host, bridge"),
    ("modify off network -m 12:34", USAGE, "not a MAC address"),
    ("modify off set network-card --vlan 5000", USAGE, "not between 0 and 4094"),
    ("modify off set network-card --vlan 5", 1, "needs bridge mode"),
    ("modify off port web", USAGE, "needs a guest port"),
    ("modify off port web 70000", USAGE, "not between 1 and 65535"),
    ("modify off display -c magic", USAGE, "not one of fbuf, pg"),
    ("registry", USAGE, "expected a command"),
    ("registry frob", USAGE, "unknown command frob"),
    ("registry revert tpl", USAGE, "--yes"),
    ("push off", USAGE, "a tag is required"),
    ("registry list", 40, "http://127.0.0.1:9 does not answer"),
    ("registry --remote ftp://x list", 40, "not like http://host:8089"),
]


@pytest.mark.parametrize(("line", "code", "message"), ERRORS, ids=[line for line, _, _ in ERRORS])
def test_errors_for_machines(shared: Mac, line: str, code: int, message: str) -> None:
    answer = shared.anka("--machine-readable", *line.split())
    assert answer.code == code
    assert answer.envelope["status"] == "ERROR"
    assert answer.envelope["code"] == code
    assert message in answer.envelope["message"]
    assert not answer.stdout.endswith(b"\n")
    assert answer.stderr == b""


def test_errors_for_people_are_one_line_on_stderr(shared: Mac) -> None:
    answer = shared.anka("show", "nope")
    assert (answer.code, answer.stdout, answer.stderr) == (NOT_FOUND, b"", b"anka: nope: not found\n")


BODIES: list[tuple[str, Callable[[Any], bool]]] = [
    (
        "version",
        lambda body: body["version"] == "3.8.1" and body["build"] == "203" and isinstance(body["product"], str),
    ),
    ("license show", lambda body: body["status"] == "valid" and body["license_type"] == "com.veertu.anka.entplus"),
    ("list", lambda body: sorted(vm["name"] for vm in body) == ["off", "on", "tpl"]),
    ("list -r", lambda body: [vm["name"] for vm in body] == ["on"]),
    ("list -s", lambda body: sorted(vm["name"] for vm in body) == ["off", "tpl"]),
    (
        "list on off",
        lambda body: [(vm["name"], vm["status"]) for vm in body] == [("on", "running"), ("off", "stopped")],
    ),
    ("list -f name -f ip,vnc_port on", lambda body: body == [{"name": "on", "ip": "192.168.64.2", "vnc_port": 5900}]),
    ("list -f name -f ip,vnc_port off", lambda body: body == [{"name": "off", "ip": "", "vnc_port": 0}]),
    ("list -f name,status=stopped", lambda body: sorted(vm["name"] for vm in body) == ["off", "tpl"]),
    ("show off", lambda body: body["status"] == "stopped" and "ip" not in body and "port_forwarding" not in body),
    ("show off", lambda body: body["ram"] == "4G" and body["ram_size"] == 4 << 30 and body["arch"] == 1),
    ("show off", lambda body: body["hard_drive"] == 40 << 30 and "version" not in body),
    ("show on", lambda body: body["ip"] == "192.168.64.2" and body["port_forwarding"][0]["guest_port"] == 22),
    ("show on", lambda body: {"mac", "hostif", "pid", "vnc_connection_string", "start_date", "usb"} <= set(body)),
    ("show on status", lambda body: body == "running"),
    ("show on port", lambda body: body[0]["host_port"] >= 10000 and body[0]["protocol"] == "tcp"),
    ("show off port", lambda body: body == [{"name": "ssh", "protocol": "tcp", "guest_port": 22}]),
    ("show off network", lambda body: body["port_forwarding_rules"][0]["name"] == "ssh" and body["mode"] == "shared"),
    ("show off disk", lambda body: body["data_size"] == 15 << 30),
    ("show off ram", lambda body: body == {"size": 4 << 30}),
    ("show off cpu", lambda body: body["cores"] == 4),
    ("show off tag", lambda body: body == []),
    ("show off label", lambda body: body == {}),
    ("show off mount", lambda body: body == []),
    ("show off description", lambda body: body == ""),
    ("describe off", lambda body: body["network_cards"][0]["port_forwarding_rules"][0]["rule_name"] == "ssh"),
    ("describe off", lambda body: isinstance(body["version"], int) and body["cpu"] == {"cores": 4}),
    ("create --list", lambda body: body[0]["latest"] is True and "build" in body[0]),
    ("registry list-repos", lambda body: body == [{"name": "main", "url": "http://127.0.0.1:9", "default": True}]),
    ("registry --list", lambda body: body[0]["name"] == "main"),
    ("config vnc_password", lambda body: body == "admin"),
    ("usb list", lambda body: body == [{"name": "iphone", "id": "5", "location": "0x14100000"}]),
    ("stop off", lambda body: body == {}),
    ("start on", lambda body: body == {}),
]


@pytest.mark.parametrize(("line", "holds"), BODIES, ids=[f"{i}-{line}" for i, (line, _) in enumerate(BODIES)])
def test_bodies(shared: Mac, line: str, holds: Callable[[Any], bool]) -> None:
    answer = shared.anka("-j", *line.split())
    assert answer.code == 0, answer
    assert answer.envelope["status"] == "OK"
    assert answer.envelope["code"] == 0
    assert holds(answer.body), answer.body
    assert answer.stdout.count(b"\n") == 0
    assert answer.stderr == b""


def test_license_show_is_greppable(shared: Mac) -> None:
    assert b'"status": "valid"' in shared.anka("-j", "license", "show").stdout


def test_people_get_a_table(shared: Mac) -> None:
    lines = shared.anka("list", "off").stdout.decode().splitlines()
    assert lines[0] == lines[2] == lines[-1]
    assert lines[0].startswith("+---")
    assert lines[1].split() == ["|", "name", "|", "uuid", "|", "creation_date", "|", "status", "|"]
    assert lines[3].split()[1] == "off"


def test_commands_are_recorded(mac: Mac) -> None:
    mac.anka("-j", "show", "nope")
    assert [(entry["argv"], entry["code"]) for entry in mac.commands()] == [
        (["-j", "create", "--disk-size", "40G", "tpl"], 0),
        (["-j", "show", "nope"], 3),
    ]
    assert all(entry["ms"] > 0 and entry["pid"] > 1 for entry in mac.commands())


def test_broken_state_is_one_clear_line(mac: Mac) -> None:
    (mac.directory / "config.json").write_text("{")
    answer = mac.anka("-j", "list")
    assert answer.code == 1
    assert "config.json is not valid JSON" in json.loads(answer.stdout)["message"]
    (mac.directory / "config.json").unlink()
    answer = mac.anka("list")
    assert b"is not a simulated Mac" in answer.stderr
    assert b"Traceback" not in answer.stderr
