"""What is in use on each node: VMs, vCPUs, RAM and USB devices."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from anka_crds.api.instance import AnkaInstance
from anka_crds.rules.lifecycle import holds_slot
from anka_scheduler.host_port import HostPort, list_taken_ports
from anka_scheduler.size import DEFAULT_SIZE, TemplateSizes, VmSize, resolve_size


class Claim(NamedTuple):
    """What one instance uses on its node."""

    node: str
    size: VmSize = DEFAULT_SIZE
    usb: str | None = None
    """Location of its USB device."""
    ports: frozenset[HostPort] = frozenset()
    """Ports of the Mac that it forwards."""


def to_claim(instance: AnkaInstance, sizes: TemplateSizes) -> Claim | None:
    """What a bound instance uses; None if it uses nothing, or no longer does."""
    status = instance.status
    if status.node_name is None or not holds_slot(status.phase, status.vm.status if status.vm else None):
        return None
    usb, ports = status.usb_device or instance.spec.usb_device, list_taken_ports(instance)
    return Claim(status.node_name, resolve_size(instance, sizes), usb, ports)


class NodeUsage:
    """What is in use on one node."""

    __slots__ = ("memory_mib", "ports", "usb", "vcpus", "vms")

    def __init__(self) -> None:
        self.vms = 0
        self.vcpus = 0
        self.memory_mib = 0
        self.usb: dict[str, int] = {}
        """Location -> number of instances: two where VMs were started by hand or by an older version."""
        self.ports: dict[HostPort, int] = {}
        """Port -> number of instances, in the same way."""

    def copy(self) -> NodeUsage:
        """A copy of the current usage: later changes do not show in it."""
        other = NodeUsage()
        other.vms, other.vcpus, other.memory_mib = self.vms, self.vcpus, self.memory_mib
        other.usb, other.ports = dict(self.usb), dict(self.ports)
        return other


UNUSED = NodeUsage()
"""Usage of a node without instances. Never modified."""


class Ledger:
    """Claims by instance, and their sums by node. An instance is never counted twice."""

    def __init__(self) -> None:
        self._claims: dict[str, Claim] = {}
        self._usages: dict[str, NodeUsage] = {}

    def record(self, uid: str, claim: Claim | None) -> None:
        """Replace the claim of this instance; None removes it."""
        before = self._claims.get(uid)
        if before == claim:
            return
        if before is not None:
            del self._claims[uid]
            self._remove(before)
        if claim is not None:
            self._claims[uid] = claim
            self._add(claim)

    def _add(self, claim: Claim) -> None:
        usage = self._usages.get(claim.node)
        if usage is None:
            usage = self._usages[claim.node] = NodeUsage()
        usage.vms += 1
        usage.vcpus += claim.size.vcpus
        usage.memory_mib += claim.size.memory_mib
        if claim.usb is not None:
            usage.usb[claim.usb] = usage.usb.get(claim.usb, 0) + 1
        for port in claim.ports:
            usage.ports[port] = usage.ports.get(port, 0) + 1

    def _remove(self, claim: Claim) -> None:
        usage = self._usages[claim.node]
        usage.vms -= 1
        if not usage.vms:
            del self._usages[claim.node]
            return
        usage.vcpus -= claim.size.vcpus
        usage.memory_mib -= claim.size.memory_mib
        if claim.usb is not None:
            usage.usb[claim.usb] -= 1
            if not usage.usb[claim.usb]:
                del usage.usb[claim.usb]
        for port in claim.ports:
            usage.ports[port] -= 1
            if not usage.ports[port]:
                del usage.ports[port]

    def usage(self, node: str) -> NodeUsage:
        return self._usages.get(node, UNUSED)

    def count_instances(self, node: str) -> int:
        return self.usage(node).vms

    def claim(self, uid: str) -> Claim | None:
        return self._claims.get(uid)

    def items(self) -> Iterable[tuple[str, Claim]]:
        return self._claims.items()

    def __len__(self) -> int:
        return len(self._claims)
