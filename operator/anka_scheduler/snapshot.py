"""Where instances could run: the cluster as one round of scheduling sees it."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from anka_crds.rules.references import NO_NAMES, NameCatalog
from anka_crds.rules.resource_permissions import ResourcePermissions
from anka_scheduler import reasons
from anka_scheduler.catalog import TemplateCatalog
from anka_scheduler.filters import Owner, Requirements, static_rejection
from anka_scheduler.groups import fallback_chain
from anka_scheduler.node import SchedulableNode
from anka_scheduler.reasons import Rejection, WaitReason
from anka_scheduler.score import Placement, group_position, pull_effort
from anka_scheduler.shape import Shape
from anka_scheduler.size import TemplateSizes, VmSize


@dataclass(frozen=True, slots=True)
class Candidates:
    """The nodes that could take a shape if they were empty. It holds until a node, template or group changes."""

    requirements: Requirements
    nodes: tuple[tuple[SchedulableNode, int, int], ...]
    """Each with its position in the chain of groups and its pull effort."""
    rejections: Mapping[Rejection, int]
    """Why the other nodes are not, with the number of nodes."""
    total: int
    """Number of nodes examined."""
    only: str | None = None
    """The node that the shape names."""


class CandidateCache:
    """What successive snapshots of the same nodes, templates and groups share."""

    def __init__(self) -> None:
        self._by_shape: dict[Shape, Candidates | WaitReason] = {}
        self._by_group: dict[str, list[SchedulableNode]] | None = None

    def clear(self) -> None:
        """A node, a template or a group has changed."""
        self._by_shape.clear()
        self._by_group = None

    def limit(self, shapes: int) -> None:
        """Forget all candidates if there are those of more shapes."""
        if len(self._by_shape) > shapes:
            self._by_shape.clear()

    def get(self, shape: Shape) -> Candidates | WaitReason | None:
        return self._by_shape.get(shape)

    def put(self, shape: Shape, found: Candidates | WaitReason) -> None:
        self._by_shape[shape] = found

    def members(self, groups: Sequence[str], nodes: Iterable[SchedulableNode]) -> Collection[SchedulableNode]:
        """Those of `nodes`, which are all there are, that are in any of these groups."""
        if self._by_group is None:
            self._by_group = {}
            for node in nodes:
                for group in node.groups:
                    self._by_group.setdefault(group, []).append(node)
        return {node.name: node for group in groups for node in self._by_group.get(group, ())}.values()


def find_candidates(
    requirements: Requirements, nodes: Iterable[SchedulableNode], only: str | None = None, *, outsiders: int = 0
) -> Candidates:
    """`outsiders`: nodes beside these that are in none of the groups."""
    found: list[tuple[SchedulableNode, int, int]] = []
    rejections = Counter[Rejection]()
    if outsiders:
        rejections[reasons.not_in_group(requirements.groups[0])] = outsiders
    for node in nodes:
        rejection = static_rejection(node, requirements)
        if rejection is None:
            found.append((node, group_position(node, requirements), pull_effort(node, requirements)))
        else:
            rejections[rejection] += 1
    return Candidates(requirements, tuple(found), rejections, len(found) + rejections.total(), only)


@dataclass(frozen=True, slots=True)
class Snapshot:
    nodes: Mapping[str, SchedulableNode]
    catalog: TemplateCatalog
    fallbacks: Mapping[str, str | None] = field(default_factory=dict)
    """Every NodeGroup and its fallback group."""
    sizes: TemplateSizes = field(default_factory=TemplateSizes)
    placement: Placement = Placement.SPREAD
    cache: CandidateCache = field(default_factory=CandidateCache, compare=False)
    groups: NameCatalog = NO_NAMES
    """All NodeGroups by what people call them."""
    permissions: Mapping[str, ResourcePermissions] | None = None
    """What each permission group permits, by its name. None: instances of any of them may run anywhere."""

    def candidates(self, shape: Shape) -> Candidates | WaitReason:
        """WaitReason: something that the shape names does not exist."""
        found = self.cache.get(shape)
        if found is None:
            found = self._find_candidates(shape)
            self.cache.put(shape, found)
        return found

    def _find_candidates(self, shape: Shape) -> Candidates | WaitReason:
        requirements = self._resolve(shape)
        if isinstance(requirements, WaitReason):
            return requirements
        if shape.node is None:
            return self._find_among_all(requirements)
        found = [self.nodes[shape.node]] if shape.node in self.nodes else self._named(shape.node)
        if len(found) != 1:
            return reasons.no_such_node(shape.node, [node.name for node in found])
        return find_candidates(requirements, found, found[0].name)

    def _find_among_all(self, requirements: Requirements) -> Candidates:
        """With hundreds of shapes and a thousand nodes, asking each node for its groups would take a second."""
        nodes = self.nodes.values()
        # A permission group comes before the groups: each node is asked which of both is against it.
        if not requirements.groups or requirements.owner is not None:
            return find_candidates(requirements, nodes)
        members = self.cache.members(requirements.groups, nodes)
        return find_candidates(requirements, members, outsiders=len(nodes) - len(members))

    def _named(self, name: str) -> list[SchedulableNode]:
        return sorted((node for node in self.nodes.values() if node.display_name == name), key=lambda node: node.name)

    def _resolve(self, shape: Shape) -> Requirements | WaitReason:
        template = self.catalog.resolve(shape)
        if isinstance(template, WaitReason):
            return template
        groups: tuple[str, ...] = ()
        if shape.group is not None:
            groups = fallback_chain(self.groups.resolve(shape.group) or shape.group, self.fallbacks)
            if not groups:
                return reasons.no_such_group(shape.group, self.groups)
        owner = None
        if self.permissions is not None and shape.permission_group is not None:
            permissions = self.permissions.get(shape.permission_group)
            if permissions is None:
                return reasons.no_such_permission_group(shape.permission_group)
            owner = Owner(shape.permission_group, permissions)
        usual = self.sizes.lookup(template.id, template.tag)
        size = VmSize(shape.vcpus or usual.vcpus, shape.memory_mib or usual.memory_mib)
        return Requirements(
            template,
            groups,
            size=size,
            usb=shape.usb,
            vlan=self._vlan(shape),
            ports=shape.ports,
            refused=shape.refused,
            owner=owner,
        )

    def _vlan(self, shape: Shape) -> str | None:
        """Where no Mac reports its VLANs, any Mac may try: the legacy agent ran the command without checking."""
        if shape.vlan is None or not any(node.vlans for node in self.nodes.values()):
            return None
        return shape.vlan
