"""Which command each field becomes, by docs/reference/start-options.md; a simulated Mac takes every command."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

import pytest

from anka_agent.plan.options import (
    UsbCandidate,
    changes_anything,
    choose_device,
    grows_container,
    modify_commands,
    rename_command,
    wakes_suspended,
)
from anka_crds.api.instance import AnkaInstanceSpec
from anka_shim.vm.request import StartVm
from anka_sim.mac.cli import execute
from anka_sim.mac.core import SimulatedMac
from anka_sim.mac.hypervisor import LocalHypervisor
from anka_sim.mac.store import MemoryStore
from support.start_options import Row, dialects, rows

ROWS = rows()
IDS = [json.dumps(row.rest) for row in ROWS]
CHANGING = [row for row in ROWS if row.modifies]
OUTSIDE = {
    "vmid", "version", "name", "external_id", "node_id", "group", "group_id", "priority", "metadata",
    "startup_script_condition", "script_monitoring", "script_timeout", "script_fail_handler",
}  # fmt: skip
"""Parameters of which `anka` never hears, or that only say when."""


def spec_of(row: Row) -> AnkaInstanceSpec:
    return AnkaInstanceSpec.model_validate(row.spec())


def value_at(spec: dict[str, Any], path: str) -> Any:
    for part in path.split("."):
        spec = spec[part]
    return spec


def mac_with_vm(status: str = "stopped", **config: Any) -> SimulatedMac:
    """Knows one VM, called VM."""
    mac = SimulatedMac(MemoryStore(config), LocalHypervisor())
    mac.create("VM", cpu=2, ram=2 << 30, disk=40 << 30)
    mac.update(mac.find("VM")["uuid"], lambda vm: dict(vm, status=status))
    return mac


def message(mac: SimulatedMac, line: str) -> str:
    """Empty when the command succeeded."""
    out = StringIO()
    code = execute(mac, ["-j", *line.split()], out, StringIO())
    return str(json.loads(out.getvalue())["message"]) if code else ""


def test_every_parameter_that_reaches_the_vm_is_in_the_table() -> None:
    assert {name for row in ROWS for name in row.rest} == set(StartVm.spec_paths) - OUTSIDE


@pytest.mark.parametrize("row", ROWS, ids=IDS)
def test_commands(row: Row) -> None:
    assert value_at(row.spec(), row.field) is not None
    spec = spec_of(row)
    assert [" ".join(command) for command in modify_commands(spec, "VM")] == row.modifies
    assert changes_anything(spec) is bool(row.modifies)
    assert grows_container(spec) is any("SCRIPT" in line for line in row.commands)
    assert wakes_suspended(spec) is (row.suspended == "stopped")


def test_a_chosen_address_is_an_option() -> None:
    spec = AnkaInstanceSpec(template="t")
    assert not changes_anything(spec)
    assert changes_anything(spec, "02:00:00:00:00:07")
    for anka, words in ((3, "network"), (2, "set network-card")):
        made = modify_commands(spec, "VM", anka=anka, mac_address="02:00:00:00:00:07")
        assert [" ".join(command) for command in made] == [f"modify VM {words} --mac 02:00:00:00:00:07"]


@pytest.mark.parametrize("row", CHANGING, ids=[json.dumps(row.rest) for row in CHANGING])
def test_anka_2_hears_its_own_dialect(row: Row) -> None:
    older = [" ".join(command) for command in modify_commands(spec_of(row), "VM", anka=2)]
    assert older == [dialects().get(line, line) for line in row.modifies]
    mac = mac_with_vm(arch="amd64", version="2.5.7")
    assert [message(mac, line) for line in older] == [""] * len(older)


@pytest.mark.parametrize(("anka", "version"), [(2, "2.5.7"), (3, "3.8.1")])
def test_a_vm_gets_a_name_in_both_dialects(anka: int, version: str) -> None:
    mac = mac_with_vm(arch="amd64", version=version)
    assert message(mac, " ".join(rename_command("xcode", "VM", anka=anka))) == ""
    other = mac_with_vm(arch="amd64", version="2.5.7")
    assert "no such command name" in message(other, " ".join(rename_command("xcode", "VM")))


@pytest.mark.parametrize("row", CHANGING, ids=[json.dumps(row.rest) for row in CHANGING])
def test_what_the_hardware_does_not_allow_is_refused_by_the_command(row: Row) -> None:
    for arch, allowed in (("amd64", True), ("arm64", row.hardware == "any")):
        mac = mac_with_vm(arch=arch)
        said = [message(mac, line) for line in row.modifies]
        assert (said == [""] * len(said)) is allowed, said
        if not allowed:
            assert said[-1].endswith("cannot be set on this hardware (Intel only)")


@pytest.mark.parametrize("row", CHANGING, ids=[json.dumps(row.rest) for row in CHANGING])
def test_a_suspended_vm_refuses_changes(row: Row) -> None:
    assert row.suspended in ("refused", "stopped")
    mac = mac_with_vm("suspended", arch="amd64")
    assert message(mac, row.modifies[0]) == "VM: VM is suspended, stop it before modifying"
    mac.stop("VM", force=True)
    assert message(mac, row.modifies[0]) == ""


def test_applied_twice_it_is_the_same_vm() -> None:
    for row in CHANGING:
        mac = mac_with_vm(arch="amd64")
        seen = []
        for _ in range(2):
            assert all(not message(mac, line) for line in row.modifies)
            seen.append(mac.find("VM"))
        assert seen[0] == seen[1], row


UDP = {"portForwarding": [{"name": "dns", "guestPort": 53, "protocol": "udp"}]}
OTHERS: list[tuple[dict[str, Any], list[str]]] = [
    ({}, []),
    ({"resources": {"vcpu": 2, "memoryMib": 2048}}, ["cpu 2", "ram 2048M"]),
    ({"portForwarding": []}, ["delete port-forwarding --all"]),
    (
        UDP,
        ["delete port-forwarding --all", "add port-forwarding --guest-port 53 --host-port 0 --protocol udp dns"],
    ),
    ({"displayName": "x", "priority": 5, "metadata": {"a": "b"}}, []),
]


@pytest.mark.parametrize(("fields", "commands"), OTHERS)
def test_what_rest_cannot_say(fields: dict[str, Any], commands: list[str]) -> None:
    spec = AnkaInstanceSpec.model_validate({"template": "t", **fields})
    assert [" ".join(command) for command in modify_commands(spec, "VM")] == [f"modify VM {rest}" for rest in commands]
    assert changes_anything(spec) is bool(commands)


A = UsbCandidate("1", frozenset({"iphones", "iPhone A"}))
B = UsbCandidate("2", frozenset({"iphones", "iPhone B"}))
BUSY = UsbCandidate("2", frozenset({"iphones"}), available=False)

CASES = {
    "none": ((None, None, [A], set()), None),
    "no longer": ((None, "1", [A], set()), None),
    "booked by its group": (("iphones", "2", [A, B], {"1"}), "2"),
    "booked by its location": (("2", "2", [A, B], set()), "2"),
    "booked, and busy with this very VM": (("iphones", "2", [A, BUSY], set()), "2"),
    "booked, and unplugged": (("2", "2", [A], set()), "2"),
    "booked, but another got it meanwhile": (("iphones", "2", [A, B], {"2"}), "1"),
    "another is asked for": (("1", "2", [A, B], set()), "1"),
    "another group": (("iPhone A", "2", [A, B], set()), "1"),
    "first free of the group": (("iphones", None, [B, A], set()), "1"),
    "first is taken": (("iphones", None, [A, B], {"1"}), "2"),
    "first is busy with somebody unknown": (("iphones", None, [BUSY, A], set()), "1"),
    "nothing free: anka says so": (("iphones", None, [A, B], {"1", "2"}), "iphones"),
    "its own was given away, nothing else": (("2", "2", [A, B], {"2"}), "2"),
    "unknown": (("ipad", "2", [A, B], set()), "ipad"),
}


@pytest.mark.parametrize(("given", "device"), CASES.values(), ids=CASES)
def test_choose_device(given: tuple[str | None, str | None, list[UsbCandidate], set[str]], device: str | None) -> None:
    assert choose_device(*given) == device
