"""Which of the nodes that fit is best: the one with the lowest score."""

from enum import StrEnum

from anka_scheduler.filters import Requirements
from anka_scheduler.ledger import NodeUsage
from anka_scheduler.node import SchedulableNode


class Placement(StrEnum):
    """The choice among nodes that are otherwise equal."""

    SPREAD = "spread"
    """The emptiest first: VMs disturb each other least."""
    PACK = "pack"
    """The fullest first: whole Macs stay free, for large instances or for maintenance."""


Score = tuple[int, int, float, str]
"""(position in the chain of groups, how much of the template must be pulled, utilization, name)."""


def score_node(
    node: SchedulableNode, requirements: Requirements, usage: NodeUsage, placement: Placement = Placement.SPREAD
) -> Score:
    """A fallback group only if no group before it fits; then no pull before a pull; then the emptiest node, or the
    fullest. The name makes the order total."""
    return (
        group_position(node, requirements),
        pull_effort(node, requirements),
        rank(node, usage, placement),
        node.name,
    )


def group_position(node: SchedulableNode, requirements: Requirements) -> int:
    """How many fallbacks away from the requested group the node is."""
    return next((place for place, group in enumerate(requirements.groups) if group in node.groups), 0)


def pull_effort(node: SchedulableNode, requirements: Requirements) -> int:
    """0: the node has template and tag. 1: it has another tag of the template, so the pull is small. 2: it has none."""
    tags = node.tags.get(requirements.template.id)
    if tags is None:
        return 2
    return 0 if requirements.template.tag in tags else 1


def rank(node: SchedulableNode, usage: NodeUsage, placement: Placement) -> float:
    share = utilization(node, usage)
    return share if placement is Placement.SPREAD else -share


def utilization(node: SchedulableNode, usage: NodeUsage) -> float:
    """0 for an empty node, 1 for a full one, by the scarcest of its resources."""
    share = usage.vms / node.vm_slots if node.vm_slots else 0.0
    allocatable = node.allocatable
    if allocatable is not None:
        share = max(share, usage.vcpus / max(1, allocatable.vcpus), usage.memory_mib / max(1, allocatable.memory_mib))
    return share
