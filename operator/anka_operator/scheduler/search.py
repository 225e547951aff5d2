"""Looks for nodes for one shape during one round."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from anka_operator.scheduler import reasons
from anka_operator.scheduler.filters import Asked, crowded, unfit
from anka_operator.scheduler.fleet import Node
from anka_operator.scheduler.ledger import Ledger
from anka_operator.scheduler.patience import deficit
from anka_operator.scheduler.reasons import Obstacle, Unscheduled
from anka_operator.scheduler.score import Placement, Score, rank, score


@dataclass(slots=True)
class Floor:
    """What all searches of a round share. During the round room on it only shrinks."""

    ledger: Ledger
    placement: Placement = Placement.SPREAD
    kept: dict[str, str] = field(default_factory=dict)
    """Nodes that take nobody more in this round -> uid for which they are kept free."""
    touched: list[str] = field(default_factory=list)
    """Nodes in the order in which they were given instances."""

    def obstacle(self, node: Node, asked: Asked) -> Obstacle | None:
        """The first reason against this node now; None when the instance fits."""
        against = unfit(node, asked) or crowded(node, asked, self.ledger.use(node.name))
        return against or (reasons.KEPT if node.name in self.kept else None)


class Search:
    """Nodes for one shape, best first. Scores are looked at again only when they can have changed."""

    def __init__(self, asked: Asked, nodes: Mapping[str, Node], floor: Floor, only: str | None = None) -> None:
        self.asked = asked
        self._nodes = nodes
        self._floor = floor
        self._only = only
        self._heap: list[Score] = [self.score(node) for node in self._free()]
        heapq.heapify(self._heap)
        self._seen = len(floor.touched)
        self._eligible = {entry[-1]: entry for entry in self._heap} if floor.placement is Placement.PACK else {}

    def score(self, node: Node) -> Score:
        floor = self._floor
        return score(node, self.asked, floor.ledger.use(node.name), floor.placement)

    def _free(self) -> Iterable[Node]:
        asked, use, kept = self.asked, self._floor.ledger.use, self._floor.kept
        for node in self._nodes.values():
            if node.name not in kept and not unfit(node, asked) and not crowded(node, asked, use(node.name)):
                yield node

    def next(self) -> Node | None:
        """The best node with room, or None: then there is none until the round ends."""
        floor, heap, asked = self._floor, self._heap, self.asked
        if self._eligible:
            self._fuller()
        while heap:
            level, missing, known, name = heap[0]
            node, use = self._nodes[name], floor.ledger.use(name)
            if name in floor.kept or crowded(node, asked, use) is not None:
                heapq.heappop(heap)
                continue
            now = rank(node, use, floor.placement)
            if now == known:
                return node
            heapq.heapreplace(heap, (level, missing, now, name))
        return None

    def _fuller(self) -> None:
        """Packing: a node that was given something has become better. Spreading needs no such care: there it becomes
        worse, which is seen when it comes up."""
        floor = self._floor
        for name in set(floor.touched[self._seen :]):
            entry = self._eligible.get(name)
            if entry is not None:
                now = rank(self._nodes[name], floor.ledger.use(name), floor.placement)
                heapq.heappush(self._heap, (entry[0], entry[1], now, name))
        self._seen = len(floor.touched)

    def explain(self, kept: Sequence[str] = ()) -> Unscheduled:
        """Why `next` found nothing. `kept`: nodes that are kept free for this shape."""
        obstacles = Counter(
            against for node in self._nodes.values() if (against := self._floor.obstacle(node, self.asked)) is not None
        )
        if self._only is not None:
            return reasons.node_does_not_fit(self._only, next(iter(obstacles)), kept)
        total = len(self._nodes)
        if self.asked.groups and total and obstacles[reasons.not_in_group(self.asked.groups[0])] == total:
            return reasons.group_empty(self.asked.groups)
        return reasons.no_node_fits(total, obstacles, kept)

    def worth_keeping(self, count: int) -> list[str]:
        """The nodes that could be the first to have room, as many as `count`, if nobody else took it."""
        found = []
        for node in self._nodes.values():
            if node.name not in self._floor.kept and unfit(node, self.asked) is None:
                lacking = deficit(node, self.asked, self._floor.ledger.use(node.name))
                if lacking is not None:
                    found.append((lacking, node.name))
        return [name for _, name in heapq.nsmallest(count, found)]
