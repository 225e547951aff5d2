"""The nodes that could ever take a shape, whoever else is on them. It stays true until a node, template or group
changes, so it is found once and kept for many rounds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, field

from anka_operator.scheduler import reasons
from anka_operator.scheduler.catalog import Catalog
from anka_operator.scheduler.filters import Asked, unfit
from anka_operator.scheduler.fleet import Node
from anka_operator.scheduler.groups import chain
from anka_operator.scheduler.reasons import Obstacle, Unscheduled
from anka_operator.scheduler.score import Placement, level, missing
from anka_operator.scheduler.shape import Shape
from anka_operator.scheduler.size import Size, TemplateSizes


@dataclass(frozen=True, slots=True)
class Candidates:
    asked: Asked
    nodes: tuple[tuple[Node, int, int], ...]
    """Each with its place in the chain of groups, and what is missing of the template."""
    obstacles: Mapping[Obstacle, int]
    """What is against the others."""
    total: int
    only: str | None = None
    """The node that the shape names."""


@dataclass(frozen=True, slots=True)
class World:
    """Where instances could run."""

    nodes: Mapping[str, Node]
    catalog: Catalog
    fallbacks: Mapping[str, str | None] = field(default_factory=dict)
    """Every NodeGroup and the one that takes over when it is full."""
    sizes: TemplateSizes = field(default_factory=TemplateSizes)
    placement: Placement = Placement.SPREAD
    known: MutableMapping[Shape, Candidates | Unscheduled] = field(default_factory=dict, compare=False)
    """Answers of `candidates`. Whoever makes worlds of the same nodes, catalog and fallbacks hands it on."""


def candidates(world: World, shape: Shape) -> Candidates | Unscheduled:
    """Unscheduled: what the shape names does not exist."""
    found = world.known.get(shape)
    if found is None:
        found = world.known[shape] = _candidates(world, shape)
    return found


def _candidates(world: World, shape: Shape) -> Candidates | Unscheduled:
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
    asked = Asked(template, groups, size=size, usb=shape.usb, vlan=_vlan(world, shape))
    if shape.node is None:
        return _sorted_out(asked, world.nodes)
    node = world.nodes.get(shape.node)
    return reasons.no_such_node(shape.node) if node is None else _sorted_out(asked, {node.name: node}, node.name)


def _sorted_out(asked: Asked, nodes: Mapping[str, Node], only: str | None = None) -> Candidates:
    found: list[tuple[Node, int, int]] = []
    obstacles = Counter[Obstacle]()
    for node in nodes.values():
        against = unfit(node, asked)
        if against is None:
            found.append((node, level(node, asked), missing(node, asked)))
        else:
            obstacles[against] += 1
    return Candidates(asked, tuple(found), obstacles, len(nodes), only)


def _vlan(world: World, shape: Shape) -> str | None:
    """Where no Mac says which VLANs it has, nothing is known of them, and every Mac may try, as with the old
    controller, whose agent just runs the command."""
    return shape.vlan if shape.vlan is not None and any(node.vlans for node in world.nodes.values()) else None
