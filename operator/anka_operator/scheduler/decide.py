"""One round of scheduling: who runs where now, and why the others wait."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from anka_operator.scheduler.candidates import World, candidates
from anka_operator.scheduler.catalog import Resolved
from anka_operator.scheduler.filters import free_device
from anka_operator.scheduler.ledger import Claim, Ledger
from anka_operator.scheduler.patience import Patience
from anka_operator.scheduler.queue import Pending, Queue, Service
from anka_operator.scheduler.reasons import Unscheduled
from anka_operator.scheduler.score import missing
from anka_operator.scheduler.search import Floor, Search
from anka_operator.scheduler.shape import Shape


@dataclass(frozen=True, slots=True)
class Binding:
    """This instance shall run there."""

    uid: str
    template: Resolved
    claim: Claim
    pull_needed: bool

    @property
    def node(self) -> str:
        return self.claim.node


@dataclass(frozen=True, slots=True)
class Decisions:
    bindings: list[Binding]
    unscheduled: dict[Shape, Unscheduled]
    """Those of this shape that got no binding wait for this reason."""
    kept: Mapping[str, str] = field(default_factory=dict)
    """Nodes that are kept free -> uid of the instance for which they are."""


def decide(
    world: World,
    queue: Queue,
    ledger: Ledger,
    limit: int | None = None,
    *,
    before: Pending | None = None,
    patience: Patience | None = None,
    now: float = 0.0,
) -> Decisions:
    """Serve the queue in order: what can't run never holds up what can, but for a while what runs on some nodes
    (`patience`; without it nothing is ever kept free).

    Every binding is put into `ledger`; the queue stays as it is. `limit` is the most bindings made: then the round
    ends, and shapes that were not answered are in neither list. `before`: only those who are served before this one.
    """
    round_ = Round(world, ledger)
    bindings: list[Binding] = []
    unscheduled: dict[Shape, Unscheduled] = {}
    service = Service(queue)
    searches: list[Search | None] = [None] * len(service)
    for number, shape, pending in service:
        if (limit is not None and len(bindings) >= limit) or (before is not None and pending >= before):
            break
        search = searches[number]
        if search is None:
            started = round_.begin(shape)
            if isinstance(started, Unscheduled):
                unscheduled[shape] = started
                service.close(number)
                continue
            search = searches[number] = started
        binding = round_.bind(pending.uid, search)
        if binding is None:
            # Room only shrinks during a round: the whole shape has its answer.
            due = patience.nodes_due(pending.uid, now) if patience is not None else 0
            unscheduled[shape] = round_.give_up(pending.uid, search, due)
            service.close(number)
            continue
        bindings.append(binding)
    if patience is not None:
        patience.forget_all_but(queue)
    return Decisions(bindings, unscheduled, round_.floor.kept)


class Round:
    """Turns shapes into searches, and what they find into bindings."""

    def __init__(self, world: World, ledger: Ledger) -> None:
        self.floor = Floor(world.nodes, ledger, world.placement)
        self._world = world

    def begin(self, shape: Shape) -> Search | Unscheduled:
        """Unscheduled: what the shape names does not exist."""
        found = candidates(self._world, shape)
        return found if isinstance(found, Unscheduled) else Search(found, self.floor)

    def bind(self, uid: str, search: Search) -> Binding | None:
        """Give the instance the best node, and book it; None when there is none."""
        node, asked = search.next(), search.asked
        if node is None:
            return None
        ledger = self.floor.ledger
        usb = free_device(node, asked.usb, ledger.use(node.name)) if asked.usb is not None else None
        claim = Claim(node.name, asked.size, usb)
        ledger.put(uid, claim)
        self.floor.touched.append(node.name)
        return Binding(uid, asked.template, claim, missing(node, asked) > 0)

    def give_up(self, uid: str, search: Search, due: int) -> Unscheduled:
        """Why it waits. `due`: how many nodes are kept free for it from now on."""
        kept = search.worth_keeping(due) if due else []
        why = search.explain(kept)
        self.floor.kept.update(dict.fromkeys(kept, uid))
        return why
