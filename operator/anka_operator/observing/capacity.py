"""How much of the Macs is there and how much is taken. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from anka_crds.api import NodeState
from anka_operator.scheduler.fleet import Node
from anka_operator.scheduler.ledger import Ledger

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


def capacity(nodes: Iterable[Node], groups: Iterable[str], ledger: Ledger) -> Capacity:
    by_node: dict[str, Rooms] = {}
    by_group: dict[str, dict[str, Room]] = {group: {} for group in groups}
    whole: dict[str, Room] = {}
    for node in nodes:
        mine = by_node[node.name] = rooms(node, ledger)
        if not usable(node):
            continue
        for sums in (whole, *(by_group[group] for group in node.groups if group in by_group)):
            for resource, room in mine.items():
                sums[resource] = sums.get(resource, Room(0, 0)).plus(room)
    return Capacity(by_node, {group: sums or NO_ROOM for group, sums in by_group.items()}, whole or NO_ROOM)


def series(found: Mapping[str, Rooms]) -> Iterator[tuple[str, str, Room]]:
    """(name, resource, room) of each."""
    for name, mine in found.items():
        for resource, room in mine.items():
            yield name, resource, room
