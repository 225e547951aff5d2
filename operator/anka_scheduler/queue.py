"""Instances that wait for a node, in the order in which they are scheduled: priority, age, uid."""

import bisect
import heapq
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from anka_crds.api.instance import AnkaInstance
from anka_scheduler.shape import Shape, to_shape

_EPOCH = datetime.fromtimestamp(0, UTC)


class QueuedInstance(NamedTuple):
    """One waiting instance. The order of the fields is the order of scheduling; uid only breaks ties."""

    priority: int
    """1-10000, lower first (docs/reference/legacy-api.md#start-vm)."""
    created: datetime
    uid: str


def to_queued(instance: AnkaInstance) -> QueuedInstance:
    created = instance.metadata.creation_timestamp or _EPOCH
    return QueuedInstance(instance.spec.priority, created, instance.metadata.uid)


class SchedulingQueue:
    """Waiting instances by shape. Adding and removing cost O(log n) in the length of the queue."""

    def __init__(self) -> None:
        self._entries: dict[str, tuple[Shape, QueuedInstance]] = {}
        self._by_shape: dict[Shape, list[QueuedInstance]] = {}

    def add(self, instance: AnkaInstance) -> None:
        """Add the instance, or move it to its current position."""
        entry = to_shape(instance), to_queued(instance)
        if self._entries.get(entry[1].uid) == entry:
            return
        self.remove(entry[1].uid)
        self._entries[entry[1].uid] = entry
        bisect.insort(self._by_shape.setdefault(entry[0], []), entry[1])

    def remove(self, uid: str) -> bool:
        """False when it was not in the queue."""
        entry = self._entries.pop(uid, None)
        if entry is None:
            return False
        shape, queued = entry
        waiting = self._by_shape[shape]
        del waiting[bisect.bisect_left(waiting, queued)]
        if not waiting:
            del self._by_shape[shape]
        return True

    def waiting(self, shape: Shape) -> Sequence[QueuedInstance]:
        """All of one shape, in order. It is not a copy: do not keep it."""
        return self._by_shape.get(shape, ())

    def find_shape(self, uid: str) -> Shape | None:
        """None when it is not in the queue."""
        entry = self._entries.get(uid)
        return None if entry is None else entry[0]

    @property
    def shapes(self) -> Sequence[Shape]:
        return tuple(self._by_shape)

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, uid: str) -> bool:
        return uid in self._entries


class QueuePosition(NamedTuple):
    """The next instance."""

    number: int
    """Number of its shape, from 0: hashing the shape for each instance would cost too much."""
    shape: Shape
    queued: QueuedInstance


class QueueIterator:
    """Yields a queue in order without changing it; whole shapes can be skipped."""

    def __init__(self, queue: SchedulingQueue) -> None:
        self._by_shape = [(shape, queue.waiting(shape)) for shape in queue.shapes]
        self._heads = [(waiting[0], number) for number, (_, waiting) in enumerate(self._by_shape)]
        heapq.heapify(self._heads)
        self._next = [0] * len(self._by_shape)
        self._skipped = [False] * len(self._by_shape)

    def __len__(self) -> int:
        """Number of shapes."""
        return len(self._by_shape)

    def skip(self, number: int) -> None:
        """Yield no more instances of this shape."""
        self._skipped[number] = True

    def __iter__(self) -> Iterator[QueuePosition]:
        """In order over all shapes; a shape that is skipped during the iteration ends there."""
        while self._heads:
            queued, number = self._heads[0]
            shape, waiting = self._by_shape[number]
            yield QueuePosition(number, shape, queued)
            self._next[number] += 1
            if not self._skipped[number] and self._next[number] < len(waiting):
                heapq.heapreplace(self._heads, (waiting[self._next[number]], number))
            else:
                heapq.heappop(self._heads)
