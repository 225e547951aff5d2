"""Keeps nodes free for instances that would otherwise wait for ever.

In mode resource, small instances could take all the room that a large one needs. So the first instance of a shape
that has found no node for a while gets nodes reserved: no instance that is scheduled after it may use what becomes free
there. One node at first, twice as many after each further period: one of them must become free in the end, unless no
VM anywhere ever ends. Where VMs are counted it is not needed: any slot that becomes free is large enough for the
instance that has waited longest.
"""

from collections.abc import Mapping

from anka_scheduler.filters import Requirements, find_free_device
from anka_scheduler.host_port import find_taken
from anka_scheduler.ledger import NodeUsage
from anka_scheduler.node import SchedulableNode
from anka_scheduler.queue import SchedulingQueue

PERIOD_SECONDS = 60.0


class StarvationGuard:
    """When the first instance of each shape began to find no node. `now` is in seconds, of any clock."""

    def __init__(self, period: float = PERIOD_SECONDS) -> None:
        self._period = period
        self._since: dict[str, float] = {}

    def count_reserved(self, uid: str, now: float) -> int:
        """How many nodes to keep free for this instance, which is the first of its shape and found none."""
        periods = int((now - self._since.setdefault(uid, now)) // self._period)
        return 1 << min(periods - 1, 30) if periods > 0 else 0

    def retain(self, queue: SchedulingQueue) -> None:
        """Forget the instances that are no longer in the queue."""
        self._since = {uid: since for uid, since in self._since.items() if uid in queue}

    def __contains__(self, uid: str) -> bool:
        return uid in self._since


class ReportedReservations(StarvationGuard):
    """Reservations of a scheduler in another process, as instances report them: number of nodes by uid."""

    def __init__(self, reserved: Mapping[str, int]) -> None:
        super().__init__()
        self._reserved = reserved

    def count_reserved(self, uid: str, now: float) -> int:
        return self._reserved.get(uid, 0)


def deficit(node: SchedulableNode, requirements: Requirements, usage: NodeUsage) -> float | None:
    """How much must become free on this node before the instance fits, as a share of the node. None if a reservation
    makes no sense: its resources are not measured, or its USB device or a port of the Mac is in use.

    It only falls while no new instance comes, so a choice of the smallest deficits is stable.
    """
    allocatable, usb = node.allocatable, requirements.usb
    if allocatable is None or node.vm_slots == 0:
        return None
    if usb is not None and find_free_device(node, usb, usage) is None:
        return None
    if find_taken(requirements.ports, usage.ports) is not None:
        return None
    vcpus = usage.vcpus + requirements.size.vcpus - allocatable.vcpus
    memory = usage.memory_mib + requirements.size.memory_mib - allocatable.memory_mib
    lacking = max(0, vcpus) / max(1, allocatable.vcpus) + max(0, memory) / max(1, allocatable.memory_mib)
    if node.vm_slots is not None:
        lacking += max(0, usage.vms + 1 - node.vm_slots) / node.vm_slots
    return lacking
