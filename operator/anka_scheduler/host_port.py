"""Ports of a Mac that VMs forward: two of them cannot have the same one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from anka_crds.api.instance import AnkaInstance


class HostPort(NamedTuple):
    """A port that an instance asks for on its Mac. Without an address it is taken on all of them."""

    protocol: str
    port: int
    address: str | None = None

    def excludes(self, other: HostPort) -> bool:
        same_port = (self.protocol, self.port) == (other.protocol, other.port)
        return same_port and (self.address is None or other.address is None or self.address == other.address)


def list_wanted_ports(instance: AnkaInstance) -> frozenset[HostPort]:
    """The ports that the spec names: those that anka chooses are free anyway."""
    rules = instance.spec.port_forwarding or ()
    return frozenset(HostPort(rule.protocol, rule.host_port, rule.host_ip) for rule in rules if rule.host_port)


def list_taken_ports(instance: AnkaInstance) -> frozenset[HostPort]:
    """The same, and those that anka has chosen for its VM."""
    vm = instance.status.vm
    chosen = () if vm is None else vm.port_forwarding or ()
    return list_wanted_ports(instance) | {HostPort(port.protocol, port.host_port) for port in chosen if port.host_port}


def find_taken(wanted: Iterable[HostPort], taken: Iterable[HostPort]) -> int | None:
    """The first wanted port that is taken, by number."""
    taken = tuple(taken)
    return next((one.port for one in sorted(wanted, key=str) if any(one.excludes(other) for other in taken)), None)
