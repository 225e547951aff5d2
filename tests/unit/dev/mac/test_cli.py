"""The real executable in a subprocess: exit codes, JSON forms, both dialects of modify, output for people."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from anka_dev.mac.harness import Mac

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


DISPLAY = {"count": 1, "controller": "pg", "vnc": True, "dpi": 72, "resolution": "1024x768", "fps": 30}
WEB = {"name": "web", "protocol": "tcp", "guest_port": 80}

# The change, and what `show` says afterwards. Every form twice where both dialects have it.
MODIFY = [
    ("cpu 6", "cpu", {"cores": 6, "arch": 1}),
    ("cpu -c 6", "cpu", {"cores": 6, "arch": 1}),
    ("set cpu -c 6", "cpu", {"cores": 6, "arch": 1}),
    ("set cpu 6", "cpu", {"cores": 6, "arch": 1}),
    ("ram 6G", "ram", {"size": 6 << 30}),
    ("set ram 6144M", "ram", {"size": 6 << 30}),
    ("disk -s 80G", "disk", {"controller": "virtio-blk", "size": 80 << 30, "data_size": 15 << 30}),
    ("set hard-drive -s 80G", "disk", {"controller": "virtio-blk", "size": 80 << 30, "data_size": 15 << 30}),
    ("set display -c fbuf", "display", {**DISPLAY, "controller": "fbuf"}),
    ("display --headless", "display", {**DISPLAY, "count": 0}),
    ("set custom-variable hw.uuid ABC", "custom-variable", {"hw.uuid": "ABC"}),
    ("custom-variable hw.uuid ABC", "custom-variable", {"hw.uuid": "ABC"}),
    ("label team=ios", "label", {"team": "ios"}),
    ("label team ios", "label", {"team": "ios"}),
    ("description hello", "description", "hello"),
    ("name fresh", "name", "fresh"),
    ("set name fresh", "name", "fresh"),
    ("mount /tmp:work", "mount", [{"path": "/tmp", "name": "work"}]),
    ("delete port ssh", "port", []),
    ("delete port -a", "port", []),
    ("delete port-forwarding ssh", "port", []),
    ("port ssh -d", "port", []),
    ("port ssh --set-name shell", "port", [{"name": "shell", "protocol": "tcp", "guest_port": 22}]),
    ("port ssh -p 10222", "port", [{"name": "ssh", "protocol": "tcp", "guest_port": 22, "host_port": 10222}]),
]


@pytest.mark.parametrize(("change", "part", "expected"), MODIFY, ids=[change for change, _, _ in MODIFY])
def test_modify(shared: Mac, change: str, part: str, expected: object) -> None:
    assert shared.anka("-j", "clone", "tpl", "changing").code == 0
    uuid = shared.anka("-j", "show", "changing", "uuid").body
    try:
        answer = shared.anka("-j", "modify", "changing", *change.split())
        assert answer.envelope == {"status": "OK", "code": 0, "body": {}, "message": ""}
        assert shared.anka("-j", "show", uuid, part).body == expected
    finally:
        shared.anka("-j", "delete", "--yes", uuid)


RULES = [
    ("port web 80", WEB),
    ("port web 80:0.0.0.0:8080", {**WEB, "host_port": 8080, "host_ip": "0.0.0.0"}),
    ("port web 80:8080", {**WEB, "host_port": 8080}),
    ("port web -g 80 -p 8080", {**WEB, "host_port": 8080}),
    ("add port-forwarding --guest-port 80 web", WEB),
    ("add port-forwarding --host-port 0 --guest-port 80 web", WEB),
    ("add port-forwarding -p 8080 -g 80 web", {**WEB, "host_port": 8080}),
]


@pytest.mark.parametrize(("change", "rule"), RULES, ids=[change for change, _ in RULES])
def test_port_rules(shared: Mac, change: str, rule: dict[str, object]) -> None:
    shared.anka("-j", "clone", "tpl", "ruled")
    try:
        assert shared.anka("-j", "modify", "ruled", *change.split()).code == 0
        assert shared.anka("-j", "show", "ruled", "network").body["port_forwarding_rules"][-1] == rule
    finally:
        shared.anka("-j", "delete", "--yes", "ruled")


@pytest.mark.parametrize(
    "bridge", ["network -t bridge -b en0 -v 7 --no-local -m 16:00:00:00:00:01", "set network-card -t bridge --vlan 7"]
)
def test_vlan_in_bridge_mode(shared: Mac, bridge: str) -> None:
    shared.anka("-j", "clone", "tpl", "wired")
    try:
        assert shared.anka("-j", "modify", "wired", *bridge.split()).code == 0
        assert shared.anka("-j", "show", "wired", "network").body["vlan"] == 7
        assert shared.anka("-j", "describe", "wired").body["network_cards"][0]["vlan"] == 7
    finally:
        shared.anka("-j", "delete", "--yes", "wired")


def test_life_of_a_vm(mac: Mac) -> None:
    clone = mac.anka("-j", "clone", "tpl", "vm").body
    assert clone["name"] == "vm"
    assert mac.anka("-j", "start", clone["uuid"]).code == 0
    assert mac.anka("-j", "show", "vm").body["status"] == "running"
    assert mac.anka("-j", "suspend", "vm").code == 0
    assert mac.anka("-j", "show", "vm", "status").body == "suspended"
    refused = mac.anka("-j", "modify", "vm", "cpu", "2")
    assert (refused.code, refused.envelope["message"]) == (BUSY, "vm: VM is suspended, stop it before modifying")
    assert mac.anka("-j", "start", "vm").code == 0
    assert mac.anka("-j", "reboot", "vm").code == 0
    assert mac.anka("-j", "stop", "--force", "vm").code == 0
    stopped = mac.anka("-j", "show", "vm").body
    assert stopped["status"] == "stopped"
    assert stopped["stop_date"] >= stopped["start_date"]
    assert mac.anka("-j", "delete", "--yes", "vm").code == 0
    assert [vm["name"] for vm in mac.anka("-j", "list").body] == ["tpl"]


def test_delete_all_ends_running_vms(mac: Mac) -> None:
    mac.anka("-j", "clone", "tpl", "vm")
    mac.anka("-j", "start", "vm")
    assert mac.anka("-j", "delete", "--all", "--yes").code == 0
    assert mac.anka("-j", "list").body == []


def test_network_comes_up_later(make_mac: Callable[..., Mac], eventually: Any) -> None:
    mac = make_mac(delays={"network": 0.5})
    mac.anka("create", "vm")
    mac.anka("start", "vm")
    assert "ip" not in mac.anka("-j", "show", "vm").body
    eventually(lambda: mac.anka("-j", "show", "vm").body.get("ip") == "192.168.64.2", "the VM has an address")


def test_running_vms_are_limited_on_arm(mac: Mac) -> None:
    for name in ("a", "b", "c"):
        mac.anka("clone", "tpl", name)
    assert [mac.anka("-j", "start", name).code for name in ("a", "b")] == [0, 0]
    refused = mac.anka("-j", "start", "c")
    assert refused.code != 0
    assert "limited to 2" in refused.envelope["message"]
    mac.configure(max_running=3)
    assert mac.anka("-j", "start", "c").code == 0


def test_fixed_host_port_that_is_taken(mac: Mac) -> None:
    mac.anka("clone", "tpl", "a")
    mac.anka("clone", "tpl", "b")
    mac.anka("start", "a")
    taken = mac.anka("-j", "show", "a", "port").body[0]["host_port"]
    mac.anka("modify", "b", "port", "ssh", "-p", str(taken))
    refused = mac.anka("-j", "start", "b")
    assert refused.code == 1
    assert refused.envelope["message"] == f"port {taken} of rule ssh is already in use on the host"
    assert mac.anka("-j", "show", "b", "status").body == "stopped"


def test_two_macs_share_the_host_ports(make_mac: Callable[..., Mac]) -> None:
    ports = []
    for name in ("first", "second"):
        mac = make_mac(name)
        mac.anka("create", "vm")
        mac.anka("start", "vm")
        ports.append(mac.anka("-j", "show", "vm", "port").body[0]["host_port"])
    assert ports[0] != ports[1]
    assert all(port >= 10000 for port in ports)


def test_commands_are_recorded(mac: Mac) -> None:
    mac.anka("-j", "show", "nope")
    assert [(entry["argv"], entry["code"]) for entry in mac.commands()] == [
        (["-j", "create", "--disk-size", "40G", "tpl"], 0),
        (["-j", "show", "nope"], 3),
    ]
    assert all(entry["ms"] > 0 and entry["pid"] > 1 for entry in mac.commands())


def test_config_usb_and_licence_changes(make_mac: Callable[..., Mac]) -> None:
    mac = make_mac(usb=[{"name": "iphone", "id": "5"}, {"name": "ipad", "id": "6"}])
    mac.anka("create", "a")
    mac.anka("create", "b")
    assert mac.anka("-j", "attach", "a", "5").code == 0
    refused = mac.anka("-j", "start", "-d", "iphone", "b")
    assert refused.envelope["message"] == "usb device iphone is claimed by a"
    assert mac.anka("-j", "usb", "list").body[0] == {"name": "iphone", "id": "5", "vm": "a"}
    assert mac.anka("-j", "detach", "a", "iphone").code == 0
    assert mac.anka("-j", "usb", "claim", "6", "-n", "tablet").code == 0
    assert mac.anka("-j", "usb", "list").body[1] == {"name": "tablet", "id": "6", "claimed": True}
    assert mac.anka("-j", "config", "vnc_password", "secret").code == 0
    assert mac.anka("config", "vnc_password").stdout == b"secret\n"
    mac.anka("license", "remove")
    assert mac.anka("-j", "start", "a").envelope["message"].startswith("license is none")
    mac.anka("license", "activate", "-f", "KEY")
    assert mac.anka("-j", "license", "show").body["status"] == "valid"


def test_broken_state_is_one_clear_line(mac: Mac) -> None:
    (mac.directory / "config.json").write_text("{")
    answer = mac.anka("-j", "list")
    assert answer.code == 1
    assert "config.json is not valid JSON" in json.loads(answer.stdout)["message"]
    (mac.directory / "config.json").unlink()
    answer = mac.anka("list")
    assert b"is not a simulated Mac" in answer.stderr
    assert b"Traceback" not in answer.stderr
