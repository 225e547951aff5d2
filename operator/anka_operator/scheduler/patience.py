"""How long the first of each line has been held up, and how many nodes are therefore kept free for it.

In mode resource small instances could take every bit of room that a large one needs, for ever. So the first of its
line that found no room for a while gets nodes to itself: nobody who comes after it in the order of service may use
what becomes free there. One node at first, twice as many after each further period: one of them must become free in
the end, unless no VM anywhere ever ends. Where VMs are counted it is not needed: any place that becomes free is large
enough for whoever has waited longest.
"""

from __future__ import annotations

from collections.abc import Mapping

from anka_operator.scheduler.filters import Asked, free_device
from anka_operator.scheduler.fleet import Node
from anka_operator.scheduler.ledger import Use
from anka_operator.scheduler.queue import Queue

PERIOD_SECONDS = 60.0


class Patience:
    """Since when instances that are first in their line were held up. `now` is in seconds, of any clock."""

    def __init__(self, period: float = PERIOD_SECONDS) -> None:
        self._period = period
        self._since: dict[str, float] = {}

    def nodes_due(self, uid: str, now: float) -> int:
        """The first of its line is held up: how many nodes are to be kept free for it."""
        periods = int((now - self._since.setdefault(uid, now)) // self._period)
        return 1 << min(periods - 1, 30) if periods > 0 else 0

    def forget_all_but(self, waiting: Queue) -> None:
        self._since = {uid: since for uid, since in self._since.items() if uid in waiting}

    def __contains__(self, uid: str) -> bool:
        return uid in self._since


class Told(Patience):
    """What somebody else, whose patience it is, told of it: how many nodes he keeps free for whom."""

    def __init__(self, kept: Mapping[str, int]) -> None:
        super().__init__()
        self._kept = kept

    def nodes_due(self, uid: str, now: float) -> int:
        return self._kept.get(uid, 0)


def deficit(node: Node, asked: Asked, use: Use) -> float | None:
    """How much must become free on this node before the instance fits, as a share of it; None where keeping it free
    makes no sense: its room is not measured, or the USB device is in use.

    It can only fall while nobody new comes: a choice of the smallest deficits does not wander for ever.
    """
    room = node.room
    if room is None or node.slots == 0 or (asked.usb is not None and free_device(node, asked.usb, use) is None):
        return None
    lacking = max(0, use.vcpus + asked.size.vcpus - room.vcpus) / max(1, room.vcpus)
    lacking += max(0, use.memory_mib + asked.size.memory_mib - room.memory_mib) / max(1, room.memory_mib)
    if node.slots is not None:
        lacking += max(0, use.vms + 1 - node.slots) / node.slots
    return lacking
