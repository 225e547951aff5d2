"""Instances that wait for a node, in the order in which they are served: priority, age, uid."""

from __future__ import annotations

import bisect
import heapq
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from anka_crds.api.instance import AnkaInstance
from anka_operator.scheduler.shape import Shape, shape_of

_EPOCH = datetime.fromtimestamp(0, UTC)


class Pending(NamedTuple):
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


class Turn(NamedTuple):
    """Whose turn it is."""

    number: int
    """Of the shape, from 0: the hash of a shape costs too much to be asked for each instance."""
    shape: Shape
    pending: Pending


class Service:
    """Serves a queue in order without changing it; whole shapes can be sent home."""

    def __init__(self, queue: Queue) -> None:
        self._lines = [(shape, queue.line(shape)) for shape in queue.shapes]
        self._heads = [(line[0], number) for number, (_, line) in enumerate(self._lines)]
        heapq.heapify(self._heads)
        self._next = [0] * len(self._lines)
        self._closed = [False] * len(self._lines)

    def __len__(self) -> int:
        """Number of shapes."""
        return len(self._lines)

    def close(self, number: int) -> None:
        """Nobody of this shape can be served any more."""
        self._closed[number] = True

    def __iter__(self) -> Iterator[Turn]:
        """In order over all shapes; a shape that is closed during the iteration ends there."""
        while self._heads:
            pending, number = self._heads[0]
            shape, line = self._lines[number]
            yield Turn(number, shape, pending)
            self._next[number] += 1
            if not self._closed[number] and self._next[number] < len(line):
                heapq.heapreplace(self._heads, (line[self._next[number]], number))
            else:
                heapq.heappop(self._heads)
