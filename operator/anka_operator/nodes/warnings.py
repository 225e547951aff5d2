"""Conditions of an AnkaNode that say what is wrong with its Mac, beside its state. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from anka_crds.api.conditions import ConditionType, NodeReason
from anka_crds.api.meta import Condition
from anka_crds.api.node import AnkaNode
from anka_crds.api.states import NodeState
from anka_crds.rules.challenger import Challenger
from anka_crds.rules.clock import describe_skew, is_skewed
from anka_crds.rules.condition_list import with_condition, without
from anka_crds.rules.fitting import describe_cut
from anka_crds.rules.references import NameCatalog, describe_missing
from anka_crds.rules.text import shorten


@dataclass(frozen=True, slots=True)
class IdentityFacts:
    """What is known of who is this node: a second machine, other nodes on the same machine; `known` False: nothing yet,
    so that what was said before stays."""

    challenger: Challenger | None = None
    twins: tuple[str, ...] = ()
    known: bool = True


NO_CONFLICT = IdentityFacts()


def find_twins(nodes: Iterable[AnkaNode]) -> Mapping[str, tuple[str, ...]]:
    """Nodes whose agents run on one machine: name -> the others."""
    machines: dict[str, list[str]] = {}
    for node in nodes:
        if node.status.hardware_uuid and node.status.state not in (None, NodeState.OFFLINE):
            machines.setdefault(node.status.hardware_uuid, []).append(node.metadata.name)
    return {
        name: tuple(other for other in sorted(names) if other != name)
        for names in machines.values()
        if len(names) > 1
        for name in names
    }


def with_warnings(
    conditions: list[Condition], node: AnkaNode, groups: NameCatalog, identity: IdentityFacts, now: datetime
) -> list[Condition]:
    found = {
        ConditionType.UNKNOWN_GROUPS: _find_unknown_groups(node, groups),
        ConditionType.CLOCK_SKEWED: _find_skew(node),
        ConditionType.LISTS_CUT: _find_cut(node),
    }
    if identity.known:
        found[ConditionType.IDENTITY_CONFLICT] = _find_conflict(node, identity)
    for condition, problem in found.items():
        if problem is None:
            conditions = without(conditions, condition)
        else:
            generation = node.metadata.generation
            conditions = with_condition(conditions, condition, "True", *problem, generation=generation, now=now)
    return conditions


def find_new_warnings(before: AnkaNode, after: AnkaNode) -> list[Condition]:
    """What is worth an Event: said now, and not before."""
    told = {(condition.type, condition.reason) for condition in before.status.conditions}
    worth = (ConditionType.CLOCK_SKEWED, ConditionType.IDENTITY_CONFLICT)
    return [one for one in after.status.conditions if one.type in worth and (one.type, one.reason) not in told]


_Problem = tuple[NodeReason, str]


def _find_unknown_groups(node: AnkaNode, groups: NameCatalog) -> _Problem | None:
    unknown = sorted(word for word in set(node.spec.groups) if groups.resolve(word) is None)
    if not unknown:
        return None
    missing = [word for word in unknown if not groups.find(word)]
    told = [f"There is no NodeGroup {', '.join(missing)}: create it, or correct spec.groups"] if missing else []
    told += [describe_missing("NodeGroup", word, groups) for word in unknown if word not in missing]
    return NodeReason.NOT_FOUND, shorten("; ".join(told), 1024)


def describe_skewed_clock(node: AnkaNode) -> str | None:
    ahead = node.status.clock_ahead_seconds
    if ahead is None or not is_skewed(ahead):
        return None
    return f"The Mac's clock is {describe_skew(ahead)}: set it (`sudo sntp -sS time.apple.com`); no new VM starts here"


def _find_skew(node: AnkaNode) -> _Problem | None:
    words = describe_skewed_clock(node)
    return None if words is None else (NodeReason.CLOCK_SKEWED, words)


def _find_cut(node: AnkaNode) -> _Problem | None:
    kept, unkept = len(node.status.kept_templates), node.status.unkept or 0
    rules = describe_cut("status.keptTemplates lists {} of {} tags: the Mac keeps no other", kept, kept + unkept)
    told = [words for words in (node.status.omitted, rules) if words]
    return (NodeReason.NO_ROOM, shorten("; ".join(told), 1024)) if told else None


def _find_conflict(node: AnkaNode, identity: IdentityFacts) -> _Problem | None:
    if identity.challenger is not None:
        return NodeReason.SECOND_MACHINE, (
            "Another machine has a copy of this Mac's identity, and is kept from work: "
            f"{identity.challenger.describe()}. `anka-agent disjoin` there forgets it, `anka-agent replace` there puts "
            "it in this Mac's place"
        )
    if identity.twins:
        return NodeReason.SAME_MACHINE, (
            f"AnkaNode {', '.join(identity.twins)} is on the same machine (hardware UUID {node.status.hardware_uuid}):"
            " each of them counts its VMs alone, so disjoin one"
        )
    return None
