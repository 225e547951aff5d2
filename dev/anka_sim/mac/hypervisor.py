"""How a VM is powered on and off, whatever runs it; and a hypervisor that is bookkeeping only."""

from __future__ import annotations

import os

from anka_sim.mac import records
from anka_sim.mac.errors import GENERIC, SimulatedAnkaError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from anka_sim.mac.core import SimulatedMac


PORT_SPAN = 20000


def power_on(
    mac: SimulatedMac, uuid: str, *, boot_id: str, pid: int, forward: Callable[[dict[str, Any]], int]
) -> dict[str, Any]:
    """Commit a start under the lock: limit, ports, address. `forward` opens a rule and returns its port, or raises."""
    with mac.store.lock():
        vms = mac.vms()
        vm = next((vm for vm in vms if vm["uuid"] == uuid), None)
        if vm is None:
            raise SimulatedAnkaError(f"{uuid}: not found", 3)
        if vm["status"] == "running":
            return vm
        mac.check_limit(vms, uuid)
        taken = {other["number"] for other in vms if other["status"] == "running"}
        number = next(n for n in range(len(taken) + 1) if n not in taken)
        ports = [
            {
                "guest_port": rule["guest_port"],
                "host_port": forward(rule),
                "protocol": rule["protocol"],
                "name": rule["name"],
                **({"host_ip": rule["host_ip"]} if rule["host_ip"] else {}),
            }
            for rule in vm["rules"]
        ]
        vm = records.with_start(
            vm, boot_id=boot_id, ports=ports, number=number, now=mac.clock(), config=mac.config, pid=pid
        )
        mac.store.put(vm)
        return vm


def power_off(mac: SimulatedMac, uuid: str, status: str) -> None:
    """Commit a halt under the lock; a VM that was deleted meanwhile is no error."""
    with mac.store.lock():
        for vm in mac.vms():
            if vm["uuid"] == uuid and vm["status"] == "running":
                mac.store.put(records.with_halt(vm, status, mac.clock()))


class LocalHypervisor:
    """Bookkeeping only: ports are numbers, nothing listens, commands in a VM succeed without running."""

    def __init__(self, run: Callable[[str, dict[str, Any]], int] | None = None) -> None:
        self._boot_id: str | None = "local"
        self._run = run

    def boot_id(self) -> str | None:
        return self._boot_id

    def start(self, mac: SimulatedMac, uuid: str) -> dict[str, Any]:
        taken = {port["host_port"] for vm in mac.store.vms() for port in vm.get("ports", ())}

        def forward(rule: dict[str, Any]) -> int:
            first = mac.config["first_port"]
            wanted = int(rule["host_port"]) or next(n for n in range(first, first + PORT_SPAN) if n not in taken)
            if wanted in taken:
                raise SimulatedAnkaError(f"port {wanted} of rule {rule['name']} is already in use on the host", GENERIC)
            taken.add(wanted)
            return wanted

        return power_on(mac, uuid, boot_id="local", pid=os.getpid(), forward=forward)

    def halt(self, mac: SimulatedMac, uuid: str, status: str, *, force: bool) -> None:
        power_off(mac, uuid, status)

    def run(self, mac: SimulatedMac, uuid: str, command: dict[str, Any], fds: list[int]) -> int:
        return self._run(uuid, command) if self._run else 0
