"""The core in memory: a thousand Macs in one process behave as the files do."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import pytest

from anka_sim.mac import records
from anka_sim.mac.cli import execute
from anka_sim.mac.core import SimulatedMac
from anka_sim.mac.errors import SimulatedAnkaError

Make = Callable[..., SimulatedMac]
GIB = 1 << 30


def _anka(mac: SimulatedMac, line: str) -> dict[str, Any]:
    out, err = io.StringIO(), io.StringIO()
    code = execute(mac, ["-j", *line.split()], out, err)
    answer: dict[str, Any] = json.loads(out.getvalue().splitlines()[-1])
    assert answer["code"] == code
    assert err.getvalue() == ""
    return answer


def _with_vm(mac: SimulatedMac, name: str = "vm") -> SimulatedMac:
    mac.create(name, cpu=4, ram=4 * GIB, disk=40 * GIB)
    return mac


def test_a_life_in_process(memory: Make) -> None:
    mac = _with_vm(memory(), "tpl")
    for line in ("clone tpl vm", "modify vm cpu 2", "start vm", "show vm", "stop vm"):
        assert _anka(mac, line)["status"] == "OK", line
    assert _anka(mac, "list")["body"][1]["name"] == "vm"
    assert _anka(mac, "delete --yes vm")["status"] == "OK"
    assert [row["name"] for row in mac.rows()] == ["tpl"]


def test_a_held_template(memory: Make) -> None:
    mac = memory()
    mac.put_template("c0847bc9-5d2d-4dbc-ba6a-240f7ff08032", "ventura", "v1")
    assert mac.show_part("ventura", "tag") == [{"tag": "v1", "number": 0, "size": 15 << 30}]
    assert mac.clone("ventura", "vm", tag="v1")["version"] == "v1"
    assert mac.rows()[0]["version"] == "v1"


def test_run_is_bookkeeping_in_memory(memory: Make) -> None:
    mac = _with_vm(memory())
    out, err = io.StringIO(), io.StringIO()
    assert execute(mac, ["run", "vm", "sh", "-c", "exit 3"], out, err) == 0
    assert mac.show("vm")["status"] == "running"
    assert out.getvalue() == err.getvalue() == ""


def test_delays_are_the_callers(memory: Make) -> None:
    delays = {"clone": 3.0, "start": [10.0, 20.0], "stop": 2.0, "delete": 1.0}
    mac = _with_vm(memory(delays=delays), "tpl")
    mac.clone("tpl", "vm")
    mac.start("vm")
    mac.stop("vm")
    mac.delete("vm")
    clone, start, stop, delete = mac.slept  # type: ignore[attr-defined]
    assert (clone, stop, delete) == (3.0, 2.0, 1.0)
    assert 10.0 <= start <= 20.0


def test_start_delays_are_spread_and_repeatable() -> None:
    from anka_sim.mac.settings import merge, start_delay

    config = merge({"delays": {"start": [10, 20], "seed": 7}})
    drawn = [start_delay(config, f"vm{n}") for n in range(200)]
    assert drawn == [start_delay(config, f"vm{n}") for n in range(200)]
    assert all(10 <= seconds <= 20 for seconds in drawn)
    assert 14 < sum(drawn) / len(drawn) < 16
    assert start_delay(merge({"delays": {"start": 5}}), "x") == 5.0


def test_ports_and_addresses_of_running_vms_differ(memory: Make) -> None:
    mac = memory(max_running=50)
    for number in range(20):
        _with_vm(mac, f"vm{number}")
        mac.start(f"vm{number}")
    shown = [mac.show(f"vm{number}") for number in range(20)]
    assert sorted(vm["port_forwarding"][0]["host_port"] for vm in shown) == list(range(10000, 10020))
    assert len({vm["ip"] for vm in shown}) == 20
    mac.stop("vm3")
    _with_vm(mac, "late")
    mac.start("late")
    assert mac.show("late")["port_forwarding"][0]["host_port"] == 10003


LIMITS = [("arm64", None, 2), ("amd64", None, 5), ("arm64", 4, 4), ("amd64", 1, 1)]


@pytest.mark.parametrize(("arch", "configured", "fit"), LIMITS)
def test_running_limit(memory: Make, arch: str, configured: int | None, fit: int) -> None:
    mac = memory(arch=arch, max_running=configured)
    for number in range(5):
        _with_vm(mac, f"vm{number}")
    for number in range(fit):
        mac.start(f"vm{number}")
    for number in range(fit, 5):
        with pytest.raises(SimulatedAnkaError, match=f"limited to {fit} "):
            mac.start(f"vm{number}")


def test_a_reboot_of_the_mac_stops_vms(memory: Make) -> None:
    mac = _with_vm(memory())
    mac.start("vm")
    mac.hypervisor._boot_id = None  # type: ignore[attr-defined]
    assert mac.show("vm")["status"] == "stopped"
    assert "ip" not in mac.show("vm")


def test_the_address_comes_with_the_network(memory: Make) -> None:
    mac = _with_vm(memory(delays={"network": 30.0}))
    now = [1000.0]
    mac.clock = lambda: now[0]
    mac.start("vm")
    assert "ip" not in mac.show("vm")
    now[0] += 29.9
    assert "ip" not in mac.show("vm")
    now[0] += 0.2
    assert mac.show("vm")["ip"] == "192.168.64.2"


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"license": {"status": "expired"}}, "license is expired, VMs cannot be started"),
    ({"ram_bytes": 2 * GIB}, "vm: not enough memory on the host"),
    ({"max_running": 0}, "start: the number of running VMs is limited to 0 on this host"),
]


@pytest.mark.parametrize(("config", "message"), REFUSED, ids=[row[1] for row in REFUSED])
def test_refused_starts(memory: Make, config: dict[str, Any], message: str) -> None:
    mac = _with_vm(memory(**config))
    with pytest.raises(SimulatedAnkaError, match=f"^{message}$"):
        mac.start("vm")
    assert mac.show("vm")["status"] == "stopped"


def test_a_develop_licence_cannot_suspend(memory: Make) -> None:
    mac = _with_vm(memory(license={"license_type": "com.veertu.anka.develop"}))
    mac.start("vm")
    with pytest.raises(SimulatedAnkaError, match="not available with this license"):
        mac.suspend("vm")


def test_host_facts(memory: Make) -> None:
    mac = _with_vm(memory(disk_bytes=100 * GIB))
    assert mac.disk_usage() == {"total": 100 * GIB, "used": 15 * GIB, "free": 85 * GIB}
    mac.clone("vm", "copy")
    assert mac.disk_usage()["used"] == 15 * GIB


@pytest.mark.parametrize("name", ["", "a/b", "-x"])
def test_bad_names(memory: Make, name: str) -> None:
    mac = _with_vm(memory())
    with pytest.raises(SimulatedAnkaError, match="invalid VM name"):
        mac.clone("vm", name)


def test_clones_have_their_own_identity(memory: Make) -> None:
    mac = _with_vm(memory())
    mac.modify("vm", lambda vm: dict(vm, network=dict(vm["network"], mac="16:00:00:00:00:01")))
    copy = mac.clone("vm", "copy")
    assert copy["network"]["mac"] == "auto"
    mac.modify("copy", lambda vm: dict(vm, rules=[]))
    assert mac.show_part("vm", "port") == [{"name": "ssh", "protocol": "tcp", "guest_port": 22}]


def test_uuids_are_version_four() -> None:
    import uuid

    for byte in (0, 0xFF):
        made = uuid.UUID(records.new_uuid(bytes([byte] * 16)))
        assert made.version == 4
        assert made.variant == uuid.RFC_4122


@pytest.mark.parametrize(("size", "text"), [(4 * GIB, "4G"), (1 << 40, "1T"), (1536 << 20, "1536M"), (1000, "1000")])
def test_size_text(size: int, text: str) -> None:
    assert records.size_text(size) == text
