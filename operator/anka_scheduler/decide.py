"""One round of scheduling: which instances are bound to which nodes now, and why the others wait."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from anka_scheduler import reasons
from anka_scheduler.catalog import ResolvedVersion
from anka_scheduler.filters import find_free_device
from anka_scheduler.ledger import Claim, Ledger
from anka_scheduler.mac_addresses import AddressAllocator
from anka_scheduler.queue import QueuedInstance, QueueIterator, SchedulingQueue
from anka_scheduler.reasons import WaitReason
from anka_scheduler.score import pull_effort
from anka_scheduler.search import NodeSearch, RoundState
from anka_scheduler.shape import Shape
from anka_scheduler.snapshot import Snapshot
from anka_scheduler.starvation import StarvationGuard


@dataclass(frozen=True, slots=True)
class Binding:
    """The decision to run an instance on a node."""

    uid: str
    template: ResolvedVersion
    claim: Claim
    needs_pull: bool
    mac_address: int | None = None
    """None where no addresses are managed."""

    @property
    def node(self) -> str:
        return self.claim.node


@dataclass(frozen=True, slots=True)
class RoundResult:
    bindings: list[Binding]
    unscheduled: dict[Shape, WaitReason]
    """Why the instances of this shape without a binding wait."""
    reserved: Mapping[str, str] = field(default_factory=dict)
    """Nodes that are kept free -> uid of the instance that they are kept free for."""


def decide(
    snapshot: Snapshot,
    queue: SchedulingQueue,
    ledger: Ledger,
    limit: int | None = None,
    *,
    before: QueuedInstance | None = None,
    guard: StarvationGuard | None = None,
    addresses: AddressAllocator | None = None,
    now: float = 0.0,
) -> RoundResult:
    """Schedule the queue in order. An instance that fits nowhere never blocks one that does, except that `guard` may
    keep nodes free for it (without `guard` none is).

    Every binding is recorded in `ledger`; the queue is not changed. `limit`: the most bindings; a round that reaches it
    ends, and shapes that it did not get to are in neither result. `before`: only instances that come before this one.
    `addresses`: each binding takes one; an instance that asks for one of another instance is in neither result.
    """
    round_ = Round(snapshot, ledger, addresses)
    bindings: list[Binding] = []
    unscheduled: dict[Shape, WaitReason] = {}
    positions = QueueIterator(queue)
    searches: list[NodeSearch | None] = [None] * len(positions)
    for number, shape, queued in positions:
        if (limit is not None and len(bindings) >= limit) or (before is not None and queued >= before):
            break
        if addresses is not None and addresses.is_refused(queued.uid):
            continue
        search = searches[number]
        if search is None:
            started = round_.start_search(shape)
            if isinstance(started, WaitReason):
                unscheduled[shape] = started
                positions.skip(number)
                continue
            search = searches[number] = started
        if round_.lacks_address(queued.uid, search):
            unscheduled[shape] = reasons.NO_MAC_ADDRESS
            positions.skip(number)
            continue
        binding = round_.bind(queued.uid, search)
        if binding is None:
            # Free capacity only shrinks during a round, so this result holds for the whole shape.
            count = guard.count_reserved(queued.uid, now) if guard is not None else 0
            unscheduled[shape] = round_.reject(queued.uid, search, count)
            positions.skip(number)
            continue
        bindings.append(binding)
    if guard is not None:
        guard.retain(queue)
    return RoundResult(bindings, unscheduled, round_.state.reserved)


class Round:
    """Turns shapes into searches, and their results into bindings."""

    def __init__(self, snapshot: Snapshot, ledger: Ledger, addresses: AddressAllocator | None = None) -> None:
        self.state = RoundState(snapshot.nodes, ledger, snapshot.placement)
        self._snapshot = snapshot
        self._addresses = addresses

    def start_search(self, shape: Shape) -> NodeSearch | WaitReason:
        """WaitReason: something that the shape names does not exist."""
        candidates = self._snapshot.candidates(shape)
        return candidates if isinstance(candidates, WaitReason) else NodeSearch(candidates, self.state)

    def lacks_address(self, uid: str, search: NodeSearch) -> bool:
        """Whether a MAC address is all that the instance lacks: for those that take one of a pool, until the round
        ends."""
        lacks = self._addresses is not None and not self._addresses.has_one_for(uid)
        return lacks and search.find_best() is not None

    def bind(self, uid: str, search: NodeSearch) -> Binding | None:
        """Bind the instance to the best node and record its claim; None if no node fits."""
        node, requirements = search.find_best(), search.requirements
        if node is None:
            return None
        ledger, usb = self.state.ledger, requirements.usb
        device = find_free_device(node, usb, ledger.usage(node.name)) if usb is not None else None
        claim = Claim(node.name, requirements.size, device, requirements.ports)
        ledger.record(uid, claim)
        self.state.assigned.append(node.name)
        address = self._addresses.take(uid) if self._addresses is not None else None
        return Binding(uid, requirements.template, claim, pull_effort(node, requirements) > 0, address)

    def reject(self, uid: str, search: NodeSearch, count: int) -> WaitReason:
        """Why the instance waits. `count`: how many nodes to keep free for it from now on."""
        reserved = search.choose_nodes_to_reserve(count) if count else []
        why = search.explain(reserved)
        self.state.reserved.update(dict.fromkeys(reserved, uid))
        return why
