"""Finds nodes for one shape during one round of scheduling."""

import heapq
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from anka_scheduler import reasons
from anka_scheduler.filters import Requirements, capacity_rejection, static_rejection
from anka_scheduler.ledger import Ledger
from anka_scheduler.node import SchedulableNode
from anka_scheduler.reasons import Rejection, WaitReason
from anka_scheduler.score import Placement, Score, rank
from anka_scheduler.snapshot import Candidates
from anka_scheduler.starvation import deficit


@dataclass(slots=True)
class RoundState:
    """What all searches of a round share. During the round free capacity only shrinks."""

    nodes: Mapping[str, SchedulableNode]
    ledger: Ledger
    placement: Placement = Placement.SPREAD
    reserved: dict[str, str] = field(default_factory=dict)
    """Nodes that take no more instances in this round -> uid of the instance that they are kept free for."""
    assigned: list[str] = field(default_factory=list)
    """The node of every binding, in order."""

    def rejection(self, node: SchedulableNode, requirements: Requirements) -> Rejection | None:
        """The first reason against this node now; None if the instance fits."""
        return static_rejection(node, requirements) or self.candidate_rejection(node, requirements)

    def candidate_rejection(self, node: SchedulableNode, requirements: Requirements) -> Rejection | None:
        """The same for a node that has no static rejection."""
        rejection = capacity_rejection(node, requirements, self.ledger.usage(node.name))
        return rejection or (reasons.RESERVED if node.name in self.reserved else None)


class NodeSearch:
    """Nodes for one shape, best first. A score is computed again only when it may have changed."""

    def __init__(self, candidates: Candidates, state: RoundState) -> None:
        self.requirements = candidates.requirements
        self._candidates = candidates
        self._state = state
        self._assigned_before = len(state.assigned)
        self._heap: list[Score] = self._score_free_nodes()
        heapq.heapify(self._heap)
        packing = state.placement is Placement.PACK
        self._eligible = {entry[-1]: entry for entry in self._heap} if packing else {}

    @property
    def only(self) -> str | None:
        """The node that the shape names."""
        return self._candidates.only

    def _score_free_nodes(self) -> list[Score]:
        state, requirements = self._state, self.requirements
        usage, reserved, placement = state.ledger.usage, state.reserved, state.placement
        scores: list[Score] = []
        for node, position, effort in self._candidates.nodes:
            name = node.name
            used = usage(name)
            if capacity_rejection(node, requirements, used) is None and name not in reserved:
                scores.append((position, effort, rank(node, used, placement), name))
        return scores

    def find_best(self) -> SchedulableNode | None:
        """The best node that still fits; None if there is none, which holds until the round ends."""
        state, heap, requirements = self._state, self._heap, self.requirements
        if self._eligible:
            self._push_fuller_nodes()
        while heap:
            position, effort, known, name = heap[0]
            node, usage = state.nodes[name], state.ledger.usage(name)
            if name in state.reserved or capacity_rejection(node, requirements, usage) is not None:
                heapq.heappop(heap)
                continue
            current = rank(node, usage, state.placement)
            if current == known:
                return node
            heapq.heapreplace(heap, (position, effort, current, name))
        return None

    def _push_fuller_nodes(self) -> None:
        """With pack, a node becomes better with every instance. With spread it becomes worse, which `find_best` notices
        when the node comes up."""
        state = self._state
        for name in set(state.assigned[self._assigned_before :]):
            entry = self._eligible.get(name)
            if entry is not None:
                current = rank(state.nodes[name], state.ledger.usage(name), state.placement)
                heapq.heappush(self._heap, (entry[0], entry[1], current, name))
        self._assigned_before = len(state.assigned)

    def explain(self, reserved: Sequence[str] = ()) -> WaitReason:
        """Why `find_best` found nothing. `reserved`: nodes that are kept free for this shape."""
        candidates, requirements = self._candidates, self.requirements
        rejections = Counter(candidates.rejections)
        for node, _, _ in candidates.nodes:
            rejection = self._state.candidate_rejection(node, requirements)
            if rejection is not None:
                rejections[rejection] += 1
        if candidates.only is not None:
            return reasons.node_does_not_fit(candidates.only, next(iter(rejections)), reserved)
        groups, total = requirements.groups, candidates.total
        if groups and total and rejections[reasons.not_in_group(groups[0])] == total:
            return reasons.group_empty(groups)
        return reasons.no_node_fits(total, rejections, reserved)

    def choose_nodes_to_reserve(self, count: int) -> list[str]:
        """At most `count` nodes: those that need the least to become free before the instance fits."""
        found = []
        for node, _, _ in self._candidates.nodes:
            if node.name not in self._state.reserved:
                lacking = deficit(node, self.requirements, self._state.ledger.usage(node.name))
                if lacking is not None:
                    found.append((lacking, node.name))
        return [name for _, name in heapq.nsmallest(count, found)]
