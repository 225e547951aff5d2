"""Commands that start, stop and delete VMs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from anka_sim.mac.errors import BUSY
from anka_sim.mac.harness import Mac


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
