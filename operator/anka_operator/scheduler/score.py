"""Which of the nodes that fit is best: the lowest score."""

from __future__ import annotations

from anka_operator.scheduler.filters import Asked
from anka_operator.scheduler.fleet import Ledger, Node

Score = tuple[int, int, float, str]
"""(place in the chain of groups, what is missing of the template, how full, name)."""


def score(node: Node, asked: Asked, ledger: Ledger) -> Score:
    """A fallback group only when nothing before it fits; then no pull before a pull; then the emptiest node.

    The name makes it one answer. It never falls while a round of decisions adds instances.
    """
    level = next((place for place, group in enumerate(asked.groups) if group in node.groups), 0)
    return level, missing(node, asked), ledger.used(node.name) / max(1, node.slots), node.name


def missing(node: Node, asked: Asked) -> int:
    """0: template and tag are there. 1: some other tag of the template, so the pull is small. 2: all is missing."""
    tags = node.holds.get(asked.template.id)
    if tags is None:
        return 2
    return 0 if asked.template.tag in tags else 1
