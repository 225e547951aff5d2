"""Instances that wait for a node, in the order in which they are served: priority, age, uid."""

from __future__ import annotations

import bisect
import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from anka_crds.api.instance import AnkaInstance
from anka_operator.scheduler.shape import Shape, shape_of

_EPOCH = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True, slots=True, order=True)
class Pending:
    """One waiting instance. The order of the fields is the order of service; uid only breaks ties."""

    priority: int
    """1-10000, lower first (seed document, priority)."""
    created: datetime
    uid: str


def pending_of(instance: AnkaInstance) -> Pending:
    created = instance.metadata.creation_timestamp or _EPOCH
    return Pending(instance.spec.priority, created, instance.metadata.uid)


class Queue:
    """Waiting instances by shape. Putting and dropping cost O(log n), however many wait."""

    def __init__(self) -> None:
        self._places: dict[str, tuple[Shape, Pending]] = {}
        self._lines: dict[Shape, list[Pending]] = {}

    def put(self, instance: AnkaInstance) -> None:
        """Add it, or move it to where it belongs now."""
        place = shape_of(instance), pending_of(instance)
        if self._places.get(place[1].uid) == place:
            return
        self.drop(place[1].uid)
        self._places[place[1].uid] = place
        bisect.insort(self._lines.setdefault(place[0], []), place[1])

    def drop(self, uid: str) -> bool:
        """Remove it; False when it was not there."""
        place = self._places.pop(uid, None)
        if place is None:
            return False
        shape, pending = place
        line = self._lines[shape]
        del line[bisect.bisect_left(line, pending)]
        if not line:
            del self._lines[shape]
        return True

    def line(self, shape: Shape) -> Sequence[Pending]:
        """All of one shape, in order. Not a copy: don't keep it."""
        return self._lines.get(shape, ())

    @property
    def shapes(self) -> Sequence[Shape]:
        return tuple(self._lines)

    def __len__(self) -> int:
        return len(self._places)

    def __contains__(self, uid: str) -> bool:
        return uid in self._places


class Service:
    """Serves a queue in order without changing it; whole shapes can be sent home."""

    def __init__(self, queue: Queue) -> None:
        self._queue = queue
        self._heads = [(queue.line(shape)[0], number, shape) for number, shape in enumerate(queue.shapes)]
        heapq.heapify(self._heads)
        self._next = dict.fromkeys(queue.shapes, 0)
        self._closed: set[Shape] = set()

    def close(self, shape: Shape) -> None:
        """Nobody of this shape can be served any more."""
        self._closed.add(shape)

    def __iter__(self) -> Iterator[tuple[Shape, Pending]]:
        """In order over all shapes; a shape that is closed during the iteration ends there."""
        while self._heads:
            pending, number, shape = heapq.heappop(self._heads)
            if shape in self._closed:
                continue
            yield shape, pending
            self._next[shape] += 1
            line = self._queue.line(shape)
            if shape not in self._closed and self._next[shape] < len(line):
                heapq.heappush(self._heads, (line[self._next[shape]], number, shape))
