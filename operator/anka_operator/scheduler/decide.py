"""One round of scheduling: who runs where now, and why the others wait."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from anka_operator.scheduler.catalog import Catalog, Resolved, Unresolved
from anka_operator.scheduler.filters import Asked, has_room, obstacle
from anka_operator.scheduler.fleet import Ledger, Node
from anka_operator.scheduler.groups import chain
from anka_operator.scheduler.queue import Queue, Service
from anka_operator.scheduler.reasons import single, summary
from anka_operator.scheduler.score import Score, missing, score
from anka_operator.scheduler.shape import Shape


@dataclass(frozen=True, slots=True)
class World:
    """Where instances could run."""

    nodes: Mapping[str, Node]
    catalog: Catalog
    fallbacks: Mapping[str, str | None] = field(default_factory=dict)
    """Every NodeGroup and the one that takes over when it is full."""


@dataclass(frozen=True, slots=True)
class Binding:
    """This instance shall run there."""

    uid: str
    node: str
    template: Resolved
    pull_needed: bool


@dataclass(frozen=True, slots=True)
class Unscheduled:
    """Why nobody of a shape can run now. `reason` is one CamelCase word."""

    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Decisions:
    bindings: list[Binding]
    unscheduled: dict[Shape, Unscheduled]
    """Those of this shape that got no binding wait for this reason."""


def decide(world: World, queue: Queue, ledger: Ledger, limit: int | None = None) -> Decisions:
    """Serve the queue in order: what can't run never holds up what can.

    Every binding is put into `ledger`; the queue stays as it is. `limit` is the most bindings made: then the round
    ends, and shapes that were not answered are in neither list.
    """
    bindings: list[Binding] = []
    unscheduled: dict[Shape, Unscheduled] = {}
    searches: dict[Shape, _Search] = {}
    service = Service(queue)
    for shape, pending in service:
        if limit is not None and len(bindings) >= limit:
            break
        search = searches.get(shape)
        if search is None:
            started = _begin(world, shape, ledger)
            if isinstance(started, Unscheduled):
                unscheduled[shape] = started
                service.close(shape)
                continue
            search = searches[shape] = started
        node = search.next(ledger)
        if node is None:
            # Room only shrinks during a round: the whole shape has its answer.
            unscheduled[shape] = search.explain(ledger)
            service.close(shape)
            continue
        ledger.put(pending.uid, node.name)
        template = search.asked.template
        bindings.append(Binding(pending.uid, node.name, template, missing(node, search.asked) > 0))
    return Decisions(bindings, unscheduled)


def _begin(world: World, shape: Shape, ledger: Ledger) -> _Search | Unscheduled:
    template = world.catalog.resolve(shape)
    if isinstance(template, Unresolved):
        return Unscheduled(template.reason, template.message)
    groups: tuple[str, ...] = ()
    if shape.group is not None:
        groups = chain(shape.group, world.fallbacks)
        if not groups:
            return Unscheduled("GroupNotFound", f"There is no NodeGroup {shape.group}")
    asked = Asked(template, groups)
    if shape.node is None:
        return _Search(asked, world.nodes, ledger)
    node = world.nodes.get(shape.node)
    if node is None:
        return Unscheduled("NodeNotFound", f"There is no node {shape.node}")
    return _Search(asked, {node.name: node}, ledger, only=node.name)


class _Search:
    """Nodes for one shape, best first. Scores are looked at again only when they can have changed."""

    def __init__(self, asked: Asked, nodes: Mapping[str, Node], ledger: Ledger, only: str | None = None) -> None:
        self.asked = asked
        self._nodes = nodes
        self._only = only
        self._heap: list[Score] = [
            score(node, asked, ledger) for node in nodes.values() if obstacle(node, asked, ledger) is None
        ]
        heapq.heapify(self._heap)

    def next(self, ledger: Ledger) -> Node | None:
        """The best node with room, or None."""
        while self._heap:
            best = self._heap[0]
            node = self._nodes[best[-1]]
            if not has_room(node, ledger):
                heapq.heappop(self._heap)
                continue
            now = score(node, self.asked, ledger)
            if now == best:
                return node
            heapq.heapreplace(self._heap, now)
        return None

    def explain(self, ledger: Ledger) -> Unscheduled:
        obstacles = Counter(
            reason for node in self._nodes.values() if (reason := obstacle(node, self.asked, ledger)) is not None
        )
        if self._only is not None:
            return Unscheduled("Unschedulable", single(self._only, next(iter(obstacles))))
        return Unscheduled("Unschedulable", summary(len(self._nodes), obstacles))
