"""Macs take turns where a request has more of them than its status has room for. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from anka_crds.api.distribution import NodeProgress, TemplateDistributionStatus
from anka_crds.api.limits import MAX_TARGETS

Turns = tuple[list[NodeProgress], dict[str, Any]]
"""Entries of the Macs whose turn it is, and the fields of the status that say how many had theirs and how many wait."""


def begin_turns(names: Iterable[str], known: Mapping[str, NodeProgress], round_: int | None = None) -> Turns:
    """`names`: of all Macs, sorted. `known`: entries of some of them. `round_`: that of the others."""
    names = list(names)
    entries = [known.get(name) or NodeProgress(node_name=name, round=round_) for name in names[:MAX_TARGETS]]
    return entries, _count_turns(0, names[MAX_TARGETS:])


def advance_turns(status: TemplateDistributionStatus, entries: Sequence[NodeProgress], targets: Iterable[str]) -> Turns:
    """Macs that have finished make room for those that wait. Those that failed stay: they are what people look for.

    `entries`: those of the status as they are now. `targets`: names of all Macs, sorted."""
    first = status.next_node
    rest = [] if first is None else [name for name in targets if name >= first]
    missing_places = max(0, len(entries) + len(rest) - MAX_TARGETS)
    leaving = {entry.node_name for entry in [one for one in entries if one.done and not one.message][:missing_places]}
    staying = [entry for entry in entries if entry.node_name not in leaving]
    room = MAX_TARGETS - len(staying)
    round_ = max((entry.round or 0 for entry in status.nodes), default=0) or None
    staying += [NodeProgress(node_name=name, round=round_) for name in rest[:room]]
    return staying, _count_turns((status.finished or 0) + len(leaving), rest[room:])


def _count_turns(finished: int, rest: Sequence[str]) -> dict[str, Any]:
    return {"finished": finished or None, "next_node": rest[0] if rest else None, "waiting": len(rest) or None}
