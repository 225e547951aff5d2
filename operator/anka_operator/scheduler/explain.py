"""A dry run: where would this instance go now, and what stands against every node? Nothing is changed."""

from __future__ import annotations

from dataclasses import dataclass, field

from anka_crds.api.instance import AnkaInstance
from anka_operator.scheduler import reasons
from anka_operator.scheduler.decide import Binding, Round, decide
from anka_operator.scheduler.fleet import Node
from anka_operator.scheduler.ledger import Use
from anka_operator.scheduler.patience import Told
from anka_operator.scheduler.queue import Pending
from anka_operator.scheduler.reasons import Obstacle, Unscheduled
from anka_operator.scheduler.score import Score, missing
from anka_operator.scheduler.score import score as score_of
from anka_operator.scheduler.search import Search
from anka_operator.scheduler.shape import shape_of
from anka_operator.scheduler.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Verdict:
    """One node. `obstacle` None: it fits."""

    node: Node
    use: Use
    """What is taken of it once those who come first have their places."""
    obstacle: Obstacle | None
    pull_needed: bool = False
    level: int = 0
    """How many fallbacks away from the group that was asked for."""


@dataclass(frozen=True, slots=True)
class Explanation:
    answer: Binding | Unscheduled
    ahead: int
    """How many wait that are served first."""
    placed: int
    """How many of them get a node now."""
    verdicts: list[Verdict] = field(default_factory=list)
    """Best node first, then those that don't fit, by name."""


def explain(instance: AnkaInstance, snapshot: Snapshot, place: Pending) -> Explanation:
    """`place`: where in the queue it is, or would be. `snapshot.queue` must not contain it.

    Bookings that are made on the way stay in `snapshot.ledger`: make a snapshot for each question.
    """
    world, ledger = snapshot.world, snapshot.ledger
    before = decide(world, snapshot.queue, ledger, before=place, patience=Told(snapshot.kept))
    placed = before.bindings
    ahead = sum(
        1 for shape in snapshot.queue.shapes for pending in snapshot.queue.line(shape) if pending < place
    )  # fmt: skip
    round_ = Round(world, ledger)
    round_.floor.kept.update(before.kept)
    shape = shape_of(instance)
    search = round_.begin(shape)
    if isinstance(search, Unscheduled):
        return Explanation(search, ahead, len(placed))
    verdicts = _verdicts(round_, search, list(world.nodes.values()), shape.node)
    answer = round_.bind(place.uid, search) or search.explain()
    return Explanation(answer, ahead, len(placed), verdicts)


def _verdicts(round_: Round, search: Search, nodes: list[Node], only: str | None) -> list[Verdict]:
    asked, floor = search.asked, round_.floor
    fit: list[tuple[Score, Verdict]] = []
    rest: list[Verdict] = []
    for node in sorted(nodes, key=lambda node: node.name):
        against = reasons.NOT_ASKED_FOR if only not in (None, node.name) else floor.obstacle(node, asked)
        use = floor.ledger.use(node.name).copy()
        if against is not None:
            rest.append(Verdict(node, use, against))
        else:
            score = score_of(node, asked, use, floor.placement)
            fit.append((score, Verdict(node, use, None, missing(node, asked) > 0, score[0])))
    return [verdict for _, verdict in sorted(fit, key=lambda one: one[0])] + rest
