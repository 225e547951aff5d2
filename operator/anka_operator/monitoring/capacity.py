"""How much capacity the Macs have and how much of it is taken. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from anka_crds.api import NodeState
from anka_scheduler.ledger import Ledger
from anka_scheduler.node import SchedulableNode
from anka_scheduler.size import DEFAULT_SIZE

VMS, VCPUS, MEMORY = "vms", "vcpus", "memory_bytes"
MIB = 1024 * 1024


class ResourceUsage(NamedTuple):
    """Total and used amount of one resource."""

    total: int
    used: int

    def plus(self, other: ResourceUsage) -> ResourceUsage:
        return ResourceUsage(self.total + other.total, self.used + other.used)


Usages = Mapping[str, ResourceUsage]
"""By resource: only those that limit what a Mac takes."""

NO_MACS: Usages = {VMS: ResourceUsage(0, 0)}
"""Without any Mac the metrics must show a full cloud, not missing figures."""


@dataclass(frozen=True)
class Capacity:
    nodes: Mapping[str, Usages]
    """Usage of every Mac, whatever its state."""
    groups: Mapping[str, Usages]
    """Usage by group, of its Macs that accept new VMs now."""
    total: Usages
    """Usage of all Macs that accept new VMs now."""
    open_macs: int
    """How many of them have room for one more VM of the default size."""
    group_open_macs: Mapping[str, int]
    """The same for each group."""


def is_usable(node: SchedulableNode) -> bool:
    """Whether it accepts new VMs if it has room."""
    return node.state is NodeState.ACTIVE and not (node.draining or node.leaving or node.clock_skewed)


def node_usages(node: SchedulableNode, ledger: Ledger) -> Usages:
    used, usages = ledger.usage(node.name), {}
    if node.vm_slots is not None:
        usages[VMS] = ResourceUsage(node.vm_slots, used.vms)
    if node.allocatable is not None:
        usages[VCPUS] = ResourceUsage(node.allocatable.vcpus, used.vcpus)
        usages[MEMORY] = ResourceUsage(node.allocatable.memory_mib * MIB, used.memory_mib * MIB)
    return usages


def has_room(node: SchedulableNode, ledger: Ledger) -> bool:
    """Whether one more VM of the default size fits. Where vCPUs and RAM count, a sum over all Macs does not show this:
    each of them may have too little left."""
    used, allocatable = ledger.usage(node.name), node.allocatable
    if node.vm_slots is not None and used.vms >= node.vm_slots:
        return False
    if allocatable is None:
        return True
    vcpus, memory = used.vcpus + DEFAULT_SIZE.vcpus, used.memory_mib + DEFAULT_SIZE.memory_mib
    return vcpus <= allocatable.vcpus and memory <= allocatable.memory_mib


def compute_capacity(nodes: Iterable[SchedulableNode], groups: Iterable[str], ledger: Ledger) -> Capacity:
    by_node: dict[str, Usages] = {}
    by_group: dict[str, dict[str, ResourceUsage]] = {group: {} for group in groups}
    total: dict[str, ResourceUsage] = {}
    open_macs, group_open_macs = 0, dict.fromkeys(by_group, 0)
    for node in nodes:
        usages = by_node[node.name] = node_usages(node, ledger)
        if not is_usable(node):
            continue
        known = [group for group in node.groups if group in by_group]
        if has_room(node, ledger):
            open_macs += 1
            for group in known:
                group_open_macs[group] += 1
        for sums in (total, *(by_group[group] for group in known)):
            for resource, usage in usages.items():
                sums[resource] = sums.get(resource, ResourceUsage(0, 0)).plus(usage)
    usages_of_groups = {group: sums or NO_MACS for group, sums in by_group.items()}
    return Capacity(by_node, usages_of_groups, total or NO_MACS, open_macs, group_open_macs)


def iterate_usages(usages: Mapping[str, Usages]) -> Iterator[tuple[str, str, ResourceUsage]]:
    """(name, resource, usage) of each."""
    for name, by_resource in usages.items():
        for resource, usage in by_resource.items():
            yield name, resource, usage
