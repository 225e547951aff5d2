"""`anka modify`, in both dialects."""

from __future__ import annotations

from typing import Any

import pytest

from anka_sim.mac.harness import Mac


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
