"""Power on and off: limits, numbers and ports are decided under the lock, and a failure leaves no trace."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from anka_sim.mac import hypervisor
from anka_sim.mac.core import SimulatedMac
from anka_sim.mac.errors import SimulatedAnkaError

Make = Callable[..., SimulatedMac]


def start(mac: SimulatedMac, uuid: str) -> dict[str, Any]:
    return hypervisor.power_on(mac, uuid, boot_id="local", pid=7, forward=lambda rule: 10_000)


def test_a_started_vm_has_a_number_of_its_own(memory: Make) -> None:
    mac = memory()
    first, second = (mac.create(name, cpu=1, ram=1, disk=1)["uuid"] for name in ("one", "two"))
    vms = [start(mac, uuid) for uuid in (first, second)]
    assert [(vm["status"], vm["number"], vm["vnc_port"]) for vm in vms] == [("running", 0, 5900), ("running", 1, 5901)]
    assert start(mac, first)["boot_id"] == "local", "one that runs is left alone"
    hypervisor.power_off(mac, first, "stopped")
    assert start(mac, first)["number"] == 0


def test_a_port_that_cannot_be_opened_leaves_the_vm_stopped(memory: Make) -> None:
    mac = memory()
    uuid = mac.create("one", cpu=1, ram=1, disk=1)["uuid"]

    def refuse(_: dict[str, Any]) -> int:
        raise SimulatedAnkaError("taken")

    with pytest.raises(SimulatedAnkaError, match="taken"):
        hypervisor.power_on(mac, uuid, boot_id="local", pid=7, forward=refuse)
    assert mac.find(uuid)["status"] == "stopped"


def test_one_that_was_deleted_meanwhile(memory: Make) -> None:
    with pytest.raises(SimulatedAnkaError, match="gone: not found"):
        start(memory(), "gone")
    hypervisor.power_off(memory(), "gone", "stopped")
