"""Which Macs a distribution of a template is for, and which version a tag or number means. Shared by all processes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from anka_crds.api.distribution import TemplateDistributionSpec, TemplateDistributionStatus
from anka_crds.api.node import AnkaNode
from anka_crds.api.template import DistributionRule, TemplateVersion

MAX_TARGETS = 1024
"""maxItems of status.nodes."""


def targets(spec: TemplateDistributionSpec, nodes: Iterable[AnkaNode]) -> list[str]:
    """Names of the Macs that a request made now is for, in order: spec.nodes as given (also one that does not exist,
    so that it can be told), the members of the group, or all."""
    if spec.nodes:
        names: Collection[str] = set(spec.nodes)
    elif spec.group is not None:
        names = {node.metadata.name for node in nodes if spec.group in node.spec.groups}
    else:
        names = {node.metadata.name for node in nodes}
    return sorted(names)[:MAX_TARGETS]


def aim(spec: TemplateDistributionSpec) -> str:
    """What decides on its Macs: nodes, all, or group NAME."""
    return "nodes" if spec.nodes else f"group {spec.group}" if spec.group is not None else "all"


def keeps(rule: DistributionRule, node: AnkaNode) -> bool:
    """Whether this rule of a template is about this Mac."""
    if not rule.nodes and not rule.groups:
        return True
    return node.metadata.name in rule.nodes or not set(rule.groups).isdisjoint(node.spec.groups)


def version_of(versions: Sequence[TemplateVersion], tag: str | None, number: int | None) -> TemplateVersion | None:
    """The version with this tag (of two the newer push), or with this number; the latest if neither is given. None
    when there is no such version."""
    if tag is not None:
        return next((version for version in reversed(versions) if version.tag == tag), None)
    if number is not None:
        return next((version for version in versions if version.number == number), None)
    return versions[-1] if versions else None


FINISHED = frozenset({"Done", "Error", "Cancelled"})


def is_finished(status: TemplateDistributionStatus) -> bool:
    """Whether nothing happens for it any more."""
    return status.phase in FINISHED
