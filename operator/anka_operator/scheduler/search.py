"""Looks for nodes for one shape during one round."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from anka_operator.scheduler import reasons
from anka_operator.scheduler.candidates import Candidates
from anka_operator.scheduler.filters import Asked, crowded, unfit
from anka_operator.scheduler.fleet import Node
from anka_operator.scheduler.ledger import Ledger
from anka_operator.scheduler.patience import deficit
from anka_operator.scheduler.reasons import Obstacle, Unscheduled
from anka_operator.scheduler.score import Placement, Score, rank


@dataclass(slots=True)
class Floor:
    """What all searches of a round share. During the round room on it only shrinks."""

    nodes: Mapping[str, Node]
    ledger: Ledger
    placement: Placement = Placement.SPREAD
    kept: dict[str, str] = field(default_factory=dict)
    """Nodes that take nobody more in this round -> uid for which they are kept free."""
    touched: list[str] = field(default_factory=list)
    """Nodes in the order in which they were given instances."""

    def obstacle(self, node: Node, asked: Asked) -> Obstacle | None:
        """The first reason against this node now; None when the instance fits."""
        return unfit(node, asked) or self.taken(node, asked)

    def taken(self, node: Node, asked: Asked) -> Obstacle | None:
        """The same for a candidate."""
        against = crowded(node, asked, self.ledger.use(node.name))
        return against or (reasons.KEPT if node.name in self.kept else None)


class Search:
    """Nodes for one shape, best first. Scores are looked at again only when they can have changed."""

    def __init__(self, candidates: Candidates, floor: Floor) -> None:
        self.asked = candidates.asked
        self._candidates = candidates
        self._floor = floor
        self._seen = len(floor.touched)
        self._heap: list[Score] = self._free()
        heapq.heapify(self._heap)
        self._eligible = {entry[-1]: entry for entry in self._heap} if floor.placement is Placement.PACK else {}

    def _free(self) -> list[Score]:
        floor, asked = self._floor, self.asked
        use, kept, placement = floor.ledger.use, floor.kept, floor.placement
        found: list[Score] = []
        for node, level, missing in self._candidates.nodes:
            name = node.name
            there = use(name)
            if crowded(node, asked, there) is None and name not in kept:
                found.append((level, missing, rank(node, there, placement), name))
        return found

    def next(self) -> Node | None:
        """The best node with room, or None: then there is none until the round ends."""
        floor, heap, asked = self._floor, self._heap, self.asked
        if self._eligible:
            self._fuller()
        while heap:
            level, missing, known, name = heap[0]
            node, use = floor.nodes[name], floor.ledger.use(name)
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
                now = rank(floor.nodes[name], floor.ledger.use(name), floor.placement)
                heapq.heappush(self._heap, (entry[0], entry[1], now, name))
        self._seen = len(floor.touched)

    def explain(self, kept: Sequence[str] = ()) -> Unscheduled:
        """Why `next` found nothing. `kept`: nodes that are kept free for this shape."""
        known, asked = self._candidates, self.asked
        obstacles = Counter(known.obstacles)
        for node, _, _ in known.nodes:
            against = self._floor.taken(node, asked)
            if against is not None:
                obstacles[against] += 1
        if known.only is not None:
            return reasons.node_does_not_fit(known.only, next(iter(obstacles)), kept)
        if asked.groups and known.total and obstacles[reasons.not_in_group(asked.groups[0])] == known.total:
            return reasons.group_empty(asked.groups)
        return reasons.no_node_fits(known.total, obstacles, kept)

    def worth_keeping(self, count: int) -> list[str]:
        """The nodes that could be the first to have room, as many as `count`, if nobody else took it."""
        found = []
        for node, _, _ in self._candidates.nodes:
            if node.name not in self._floor.kept:
                lacking = deficit(node, self.asked, self._floor.ledger.use(node.name))
                if lacking is not None:
                    found.append((lacking, node.name))
        return [name for _, name in heapq.nsmallest(count, found)]
