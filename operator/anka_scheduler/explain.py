"""A dry run: which node would this instance get now, and what rules out each of the others? Nothing is changed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from anka_crds.api.group import NodeGroup
from anka_crds.api.instance import AnkaInstance
from anka_crds.api.node import AnkaNode
from anka_crds.api.permission_group import PermissionGroup
from anka_crds.api.template import AnkaTemplate
from anka_crds.rules.references import NameCatalog
from anka_crds.rules.resource_permissions import list_permissions
from anka_scheduler import reasons
from anka_scheduler.catalog import TemplateCatalog
from anka_scheduler.decide import Binding, Round, decide
from anka_scheduler.groups import list_fallbacks
from anka_scheduler.ledger import Ledger, NodeUsage, to_claim
from anka_scheduler.node import SchedulableNode, to_schedulable
from anka_scheduler.queue import QueuedInstance, SchedulingQueue
from anka_scheduler.reasons import Rejection, WaitReason
from anka_scheduler.score import Placement, Score, pull_effort, score_node
from anka_scheduler.search import NodeSearch
from anka_scheduler.shape import is_pending, to_shape
from anka_scheduler.size import TemplateSizes
from anka_scheduler.snapshot import Snapshot
from anka_scheduler.starvation import ReportedReservations


@dataclass(frozen=True, slots=True)
class SchedulerInput:
    snapshot: Snapshot
    queue: SchedulingQueue
    ledger: Ledger
    reserved: Mapping[str, int] = field(default_factory=dict)
    """How many nodes the operator keeps free for an instance, by uid, as instances report it."""


def build_input(
    *,
    nodes: Iterable[AnkaNode] = (),
    templates: Iterable[AnkaTemplate] = (),
    groups: Iterable[NodeGroup] = (),
    instances: Iterable[AnkaInstance] = (),
    placement: Placement = Placement.SPREAD,
    permission_groups: Iterable[PermissionGroup] | None = None,
) -> SchedulerInput:
    """`permission_groups`: None where they do not restrict where instances run."""
    groups = list(groups)
    names = NameCatalog(groups)
    schedulable, sizes = {node.metadata.name: to_schedulable(node, names) for node in nodes}, TemplateSizes()
    for node in schedulable.values():
        sizes.learn(node.template_sizes)
    fallbacks = list_fallbacks(groups, names)
    queue, ledger, reserved = SchedulingQueue(), Ledger(), dict[str, int]()
    for instance in instances:
        ledger.record(instance.metadata.uid, to_claim(instance, sizes))
        if is_pending(instance):
            queue.add(instance)
            if instance.status.kept_free:
                reserved[instance.metadata.uid] = instance.status.kept_free
    permissions = None if permission_groups is None else list_permissions(permission_groups)
    snapshot = Snapshot(
        schedulable,
        TemplateCatalog(templates),
        fallbacks,
        sizes,
        placement,
        groups=names,
        permissions=permissions,
    )
    return SchedulerInput(snapshot, queue, ledger, reserved)


@dataclass(frozen=True, slots=True)
class NodeAssessment:
    """One node. `rejection` None: the instance fits."""

    node: SchedulableNode
    usage: NodeUsage
    """What is in use on it once the instances ahead in the queue are placed."""
    rejection: Rejection | None
    needs_pull: bool = False
    group_position: int = 0
    """How many fallbacks away from the requested group it is."""


@dataclass(frozen=True, slots=True)
class Explanation:
    answer: Binding | WaitReason
    ahead: int
    """How many instances are ahead of it in the queue."""
    placed: int
    """How many of those get a node now."""
    assessments: list[NodeAssessment] = field(default_factory=list)
    """Best node first, then those that do not fit, by name."""


def explain(instance: AnkaInstance, known: SchedulerInput, position: QueuedInstance) -> Explanation:
    """`position`: its place in the queue, or the place that it would have. `known.queue` must not contain it.

    The claims of instances ahead of it stay in `known.ledger`: build an input for each question.
    """
    snapshot, queue, ledger = known.snapshot, known.queue, known.ledger
    before = decide(snapshot, queue, ledger, before=position, guard=ReportedReservations(known.reserved))
    placed = len(before.bindings)
    ahead = sum(1 for shape in queue.shapes for queued in queue.waiting(shape) if queued < position)
    round_ = Round(snapshot, ledger)
    round_.state.reserved.update(before.reserved)
    shape = to_shape(instance)
    search = round_.start_search(shape)
    if isinstance(search, WaitReason):
        return Explanation(search, ahead, placed)
    assessments = _assess_nodes(round_, search, list(snapshot.nodes.values()), search.only)
    answer = round_.bind(position.uid, search) or search.explain()
    return Explanation(answer, ahead, placed, assessments)


def _assess_nodes(
    round_: Round, search: NodeSearch, nodes: list[SchedulableNode], only: str | None
) -> list[NodeAssessment]:
    requirements, state = search.requirements, round_.state
    fitting: list[tuple[Score, NodeAssessment]] = []
    others: list[NodeAssessment] = []
    for node in sorted(nodes, key=lambda node: node.name):
        rejection = reasons.NOT_REQUESTED if only not in (None, node.name) else state.rejection(node, requirements)
        usage = state.ledger.usage(node.name).copy()
        if rejection is not None:
            others.append(NodeAssessment(node, usage, rejection))
        else:
            score = score_node(node, requirements, usage, state.placement)
            needs_pull = pull_effort(node, requirements) > 0
            fitting.append((score, NodeAssessment(node, usage, None, needs_pull, score[0])))
    return [assessment for _, assessment in sorted(fitting, key=lambda entry: entry[0])] + others
