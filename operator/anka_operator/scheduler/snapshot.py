"""The scheduler's whole input, made from objects at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from anka_crds.api.group import NodeGroup
from anka_crds.api.instance import AnkaInstance
from anka_crds.api.node import AnkaNode
from anka_crds.api.template import AnkaTemplate
from anka_operator.scheduler.candidates import World
from anka_operator.scheduler.catalog import Catalog
from anka_operator.scheduler.fleet import node_of
from anka_operator.scheduler.ledger import Ledger, claim_of
from anka_operator.scheduler.queue import Queue
from anka_operator.scheduler.score import Placement
from anka_operator.scheduler.shape import is_pending
from anka_operator.scheduler.size import TemplateSizes


@dataclass(frozen=True, slots=True)
class Snapshot:
    world: World
    queue: Queue
    ledger: Ledger
    kept: Mapping[str, int] = field(default_factory=dict)
    """For whom the operator keeps nodes free, by uid, and how many: as it told them."""


def snapshot(
    *,
    nodes: Iterable[AnkaNode] = (),
    templates: Iterable[AnkaTemplate] = (),
    groups: Iterable[NodeGroup] = (),
    instances: Iterable[AnkaInstance] = (),
    placement: Placement = Placement.SPREAD,
) -> Snapshot:
    """What is there, and who waits."""
    views, sizes = {node.metadata.name: node_of(node) for node in nodes}, TemplateSizes()
    for view in views.values():
        sizes.learn(view.sizes)
    fallbacks = {group.metadata.name: group.spec.fallback_group for group in groups}
    queue, ledger, kept = Queue(), Ledger(), dict[str, int]()
    for instance in instances:
        ledger.put(instance.metadata.uid, claim_of(instance, sizes))
        if is_pending(instance):
            queue.put(instance)
            if instance.status.kept_free:
                kept[instance.metadata.uid] = instance.status.kept_free
    return Snapshot(World(views, Catalog(templates), fallbacks, sizes, placement), queue, ledger, kept)
