"""How much of the Macs is there and how much is taken. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from anka_crds.api import NodeState
from anka_operator.scheduler.fleet import Node
from anka_operator.scheduler.ledger import Ledger
from anka_operator.scheduler.size import DEFAULT_SIZE

VMS, VCPUS, MEMORY = "vms", "vcpus", "memory_bytes"
MIB = 1024 * 1024


class Room(NamedTuple):
    """Of one resource."""

    total: int
    used: int

    def plus(self, other: Room) -> Room:
        return Room(self.total + other.total, self.used + other.used)


Rooms = Mapping[str, Room]
"""By resource; only those that limit what a Mac takes."""

NO_ROOM: Rooms = {VMS: Room(0, 0)}
"""Of no Macs at all: that must show as full, not as nothing."""


@dataclass(frozen=True)
class Capacity:
    nodes: Mapping[str, Rooms]
    """Of every Mac, whatever its state."""
    groups: Mapping[str, Rooms]
    """Of the Macs of each group that take new VMs now."""
    whole: Rooms
    """Of all Macs that take new VMs now."""
    open_macs: int
    """How many of those have room for one more of the usual size."""
    group_open_macs: Mapping[str, int]
    """The same of each group."""


def usable(node: Node) -> bool:
    """Whether it takes new VMs, if it has room."""
    return node.state is NodeState.ACTIVE and not node.draining and not node.leaving


def rooms(node: Node, ledger: Ledger) -> Rooms:
    use = ledger.use(node.name)
    found = {}
    if node.slots is not None:
        found[VMS] = Room(node.slots, use.vms)
    if node.room is not None:
        found[VCPUS] = Room(node.room.vcpus, use.vcpus)
        found[MEMORY] = Room(node.room.memory_mib * MIB, use.memory_mib * MIB)
    return found


def has_place(node: Node, ledger: Ledger) -> bool:
    """Whether one more fits on it, of the size of an instance that names none. Where vCPUs and RAM count, a sum of them
    does not tell that: what is left on each Mac can be too little."""
    use, room = ledger.use(node.name), node.room
    if node.slots is not None and use.vms >= node.slots:
        return False
    if room is None:
        return True
    vcpus, memory = use.vcpus + DEFAULT_SIZE.vcpus, use.memory_mib + DEFAULT_SIZE.memory_mib
    return vcpus <= room.vcpus and memory <= room.memory_mib


def capacity(nodes: Iterable[Node], groups: Iterable[str], ledger: Ledger) -> Capacity:
    by_node: dict[str, Rooms] = {}
    by_group: dict[str, dict[str, Room]] = {group: {} for group in groups}
    whole: dict[str, Room] = {}
    open_macs, group_open_macs = 0, dict.fromkeys(by_group, 0)
    for node in nodes:
        mine = by_node[node.name] = rooms(node, ledger)
        if not usable(node):
            continue
        known = [group for group in node.groups if group in by_group]
        if has_place(node, ledger):
            open_macs += 1
            for group in known:
                group_open_macs[group] += 1
        for sums in (whole, *(by_group[group] for group in known)):
            for resource, room in mine.items():
                sums[resource] = sums.get(resource, Room(0, 0)).plus(room)
    rooms_of_groups = {group: sums or NO_ROOM for group, sums in by_group.items()}
    return Capacity(by_node, rooms_of_groups, whole or NO_ROOM, open_macs, group_open_macs)


def series(found: Mapping[str, Rooms]) -> Iterator[tuple[str, str, Room]]:
    """(name, resource, room) of each."""
    for name, mine in found.items():
        for resource, room in mine.items():
            yield name, resource, room
