"""Which nodes an instance may run on; for each other one the first reason why not, in few words."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from anka_crds.api.phase import NodeState
from anka_operator.scheduler.catalog import Resolved
from anka_operator.scheduler.fleet import Ledger, Node

FULL = "full"

_STATES: dict[NodeState | None, str] = {
    None: "not seen alive yet",
    NodeState.OFFLINE: "offline",
    NodeState.INACTIVE: "without a valid license",
    NodeState.UPDATING: "updating",
    NodeState.UNHEALTHY: "unhealthy",
    NodeState.DRAIN: "draining",
}


class Asked:
    """A shape with its template resolved and its group's chain found."""

    __slots__ = ("groups", "template")

    def __init__(self, template: Resolved, groups: Sequence[str] = ()) -> None:
        self.template = template
        self.groups = tuple(groups)
        """The wanted group and its fallbacks, in order; empty when any node will do."""


Filter = Callable[[Node, Asked], str | None]
"""None when the node passes, else why it does not: words that follow a number, as in "2 full"."""


def in_group(node: Node, asked: Asked) -> str | None:
    if not asked.groups or not node.groups.isdisjoint(asked.groups):
        return None
    return f"not in group {asked.groups[0]}"


def takes_new(node: Node, asked: Asked) -> str | None:
    if node.leaving:
        return "being removed"
    if node.draining:
        return _STATES[NodeState.DRAIN]
    return None if node.state is NodeState.ACTIVE else _STATES[node.state]


def right_arch(node: Node, asked: Asked) -> str | None:
    wanted = asked.template.arch
    if wanted is None or node.arch is None or node.arch == wanted:
        return None
    return f"not {wanted}"


FILTERS: tuple[Filter, ...] = (in_group, takes_new, right_arch)
"""In this order: what people can't change by waiting comes first, so that the reason shown is the one that matters."""


def obstacle(node: Node, asked: Asked, ledger: Ledger) -> str | None:
    """The first reason against this node; None when the instance fits."""
    for check in FILTERS:
        reason = check(node, asked)
        if reason is not None:
            return reason
    return None if has_room(node, ledger) else FULL


def has_room(node: Node, ledger: Ledger) -> bool:
    """Capacity by number."""
    return ledger.used(node.name) < node.slots
