"""Which Macs a TemplateDistribution or a rule selects, and which version a tag or number resolves to."""

from collections.abc import Iterable, Sequence

from anka_crds.api.distribution import TemplateDistributionSpec, TemplateDistributionStatus
from anka_crds.api.node import AnkaNode
from anka_crds.api.permissions import NodePermission
from anka_crds.api.template import DistributionRule, TemplateVersion
from anka_crds.rules.references import NO_NAMES, NameCatalog
from anka_crds.rules.resource_permissions import ResourcePermissions


def select_targets(
    spec: TemplateDistributionSpec,
    nodes: Iterable[AnkaNode],
    groups: NameCatalog = NO_NAMES,
    permissions: ResourcePermissions | None = None,
) -> list[str]:
    """Names of the Macs that the request selects now, sorted: spec.nodes (including words that mean no one Mac, so that
    the status can report them), the members of the group, or all. `permissions`: those of its permission group, if it
    gets only the Macs that these permit."""
    nodes = list(nodes)
    closed = find_closed(spec, nodes, permissions)
    if spec.nodes:
        return sorted(NameCatalog(nodes).to_ids(spec.nodes) - closed)
    nodes = [node for node in nodes if node.metadata.name not in closed]
    if spec.group is not None:
        group = groups.resolve(spec.group) or spec.group
        return sorted(node.metadata.name for node in nodes if group in groups.to_ids(node.spec.groups))
    return sorted(node.metadata.name for node in nodes)


def find_closed(
    spec: TemplateDistributionSpec, nodes: Iterable[AnkaNode], permissions: ResourcePermissions | None
) -> frozenset[str]:
    """Names of the Macs on which the request's permission group must not do this."""
    if permissions is None:
        return frozenset()
    needed = NodePermission.DISTRIBUTE if spec.action == "Pull" else NodePermission.DELETE_TEMPLATE
    names = (node.metadata.name for node in nodes)
    return frozenset(name for name in names if not permissions.permits_node(name, needed))


def describe_selection(spec: TemplateDistributionSpec) -> str:
    """How the Macs are selected: nodes, all, or group NAME."""
    return "nodes" if spec.nodes else f"group {spec.group}" if spec.group is not None else "all"


def selects(
    rule: DistributionRule, node: AnkaNode, groups: NameCatalog = NO_NAMES, nodes: NameCatalog = NO_NAMES
) -> bool:
    """Whether this rule of a template selects this Mac. `groups`, `nodes`: all that there are."""
    if not rule.nodes and not rule.groups:
        return True
    if node.metadata.name in nodes.to_ids(rule.nodes):
        return True
    return not groups.to_ids(rule.groups).isdisjoint(groups.to_ids(node.spec.groups))


def find_version(versions: Sequence[TemplateVersion], tag: str | None, number: int | None) -> TemplateVersion | None:
    """The version with this tag (the latest push, if there are several) or this number; the latest version if neither
    is given. None if there is no such version."""
    if tag is not None:
        return next((version for version in reversed(versions) if version.tag == tag), None)
    if number is not None:
        return next((version for version in versions if version.number == number), None)
    return versions[-1] if versions else None


FINISHED = frozenset({"Done", "Error", "Cancelled"})


def is_finished(status: TemplateDistributionStatus) -> bool:
    """Whether the request has finished, whatever its result."""
    return status.phase in FINISHED
