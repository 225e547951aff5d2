"""One round of scheduling: who runs where now, and why the others wait."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from anka_operator.scheduler import reasons
from anka_operator.scheduler.catalog import Catalog, Resolved
from anka_operator.scheduler.filters import Asked, free_device
from anka_operator.scheduler.fleet import Node
from anka_operator.scheduler.groups import chain
from anka_operator.scheduler.ledger import Claim, Ledger
from anka_operator.scheduler.patience import Patience
from anka_operator.scheduler.queue import Pending, Queue, Service
from anka_operator.scheduler.reasons import Unscheduled
from anka_operator.scheduler.score import Placement, missing
from anka_operator.scheduler.search import Floor, Search
from anka_operator.scheduler.shape import Shape
from anka_operator.scheduler.size import Size, TemplateSizes


@dataclass(frozen=True, slots=True)
class World:
    """Where instances could run."""

    nodes: Mapping[str, Node]
    catalog: Catalog
    fallbacks: Mapping[str, str | None] = field(default_factory=dict)
    """Every NodeGroup and the one that takes over when it is full."""
    sizes: TemplateSizes = field(default_factory=TemplateSizes)
    placement: Placement = Placement.SPREAD


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
        self.floor = Floor(ledger, world.placement)
        self._world = world
        self._vlans_known: bool | None = None

    def begin(self, shape: Shape) -> Search | Unscheduled:
        """Unscheduled: what the shape names does not exist."""
        world = self._world
        template = world.catalog.resolve(shape)
        if isinstance(template, Unscheduled):
            return template
        groups: tuple[str, ...] = ()
        if shape.group is not None:
            groups = chain(shape.group, world.fallbacks)
            if not groups:
                return reasons.no_such_group(shape.group)
        usual = world.sizes.of(template.id, template.tag)
        size = Size(shape.vcpus or usual.vcpus, shape.memory_mib or usual.memory_mib)
        asked = Asked(template, groups, size=size, usb=shape.usb, vlan=self._vlan(shape))
        if shape.node is None:
            return Search(asked, world.nodes, self.floor)
        node = world.nodes.get(shape.node)
        if node is None:
            return reasons.no_such_node(shape.node)
        return Search(asked, {node.name: node}, self.floor, only=node.name)

    def _vlan(self, shape: Shape) -> str | None:
        """Where no Mac says which VLANs it has, nothing is known of them, and every Mac may try, as with the old
        controller, whose agent just runs the command."""
        if shape.vlan is None:
            return None
        if self._vlans_known is None:
            self._vlans_known = any(node.vlans for node in self._world.nodes.values())
        return shape.vlan if self._vlans_known else None

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
