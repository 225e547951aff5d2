"""Which of the nodes that fit is best: the lowest score."""

from __future__ import annotations

from enum import StrEnum

from anka_operator.scheduler.filters import Asked
from anka_operator.scheduler.fleet import Node
from anka_operator.scheduler.ledger import Use


class Placement(StrEnum):
    """Among nodes that are equal otherwise."""

    SPREAD = "spread"
    """The emptiest first: VMs disturb each other least."""
    PACK = "pack"
    """The fullest first: whole Macs stay free, for large instances or to be taken out."""


Score = tuple[int, int, float, str]
"""(place in the chain of groups, what is missing of the template, how full, name)."""


def score(node: Node, asked: Asked, use: Use, placement: Placement = Placement.SPREAD) -> Score:
    """A fallback group only when nothing before it fits; then no pull before a pull; then the emptiest node, or the
    fullest. The name makes it one answer."""
    return level(node, asked), missing(node, asked), rank(node, use, placement), node.name


def level(node: Node, asked: Asked) -> int:
    """How many fallbacks away from the group that was asked for."""
    return next((place for place, group in enumerate(asked.groups) if group in node.groups), 0)


def missing(node: Node, asked: Asked) -> int:
    """0: template and tag are there. 1: some other tag of the template, so the pull is small. 2: all is missing."""
    tags = node.holds.get(asked.template.id)
    if tags is None:
        return 2
    return 0 if asked.template.tag in tags else 1


def rank(node: Node, use: Use, placement: Placement) -> float:
    share = fullness(node, use)
    return share if placement is Placement.SPREAD else -share


def fullness(node: Node, use: Use) -> float:
    """0 for an empty node, 1 for a full one: what is scarcest on it."""
    share = use.vms / node.slots if node.slots else 0.0
    room = node.room
    if room is not None:
        share = max(share, use.vcpus / max(1, room.vcpus), use.memory_mib / max(1, room.memory_mib))
    return share
