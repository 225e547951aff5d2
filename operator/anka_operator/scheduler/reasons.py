"""Why an instance waits: all words for it, for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from anka_crds.api.phase import NodeState


@dataclass(frozen=True, slots=True)
class Obstacle:
    """What stands against a node: "1 `one`", "3 `many`", "Node mac-1 `alone`"."""

    one: str
    many: str
    alone: str


@dataclass(frozen=True, slots=True)
class Unscheduled:
    """Why nobody of a shape can run now. `reason` is one CamelCase word for programs."""

    reason: str
    message: str
    kept: int = 0
    """How many nodes are kept free for this shape."""


def _is(words: str) -> Obstacle:
    return Obstacle(words, words, f"is {words}")


def _lacks(what: str) -> Obstacle:
    return Obstacle(f"lacks {what}", f"lack {what}", f"lacks {what}")


# --- what waiting does not change ---


def not_in_group(group: str) -> Obstacle:
    return _is(f"not in group {group}")


def not_of_arch(arch: str) -> Obstacle:
    return _is(f"not {arch}")


def lacks_vlan(vlan: str) -> Obstacle:
    return _lacks(f"vlan {vlan}")


def lacks_usb(device: str) -> Obstacle:
    return _lacks(f"usb {device}")


NOT_ASKED_FOR = _is("not the node asked for")
TOO_SMALL = _is("too small even when empty")

# --- what people change ---

LEAVING = _is("being removed")
STATES: dict[NodeState | None, Obstacle] = {
    None: _is("not seen alive yet"),
    NodeState.OFFLINE: _is("offline"),
    NodeState.INACTIVE: _is("without a valid license"),
    NodeState.UPDATING: _is("updating"),
    NodeState.UNHEALTHY: _is("unhealthy"),
    NodeState.DRAIN: _is("draining"),
}

# --- what waiting changes ---

FULL = _is("full")
LACKS_VCPUS = _lacks("vCPUs")
LACKS_MEMORY = _lacks("memory")
KEPT = _is("kept free for one that waits longer")


def usb_in_use(device: str) -> Obstacle:
    words = f"usb {device} in use"
    return Obstacle(f"has {words}", f"have {words}", f"has {words}")


# --- whole answers ---


def no_node_fits(total: int, obstacles: Mapping[Obstacle, int], kept: Sequence[str] = ()) -> Unscheduled:
    """`0/3 nodes fit: 2 full, 1 draining`, most frequent first. `kept`: nodes that are kept free for this shape."""
    if not total:
        return Unscheduled("Unschedulable", "There are no nodes yet")
    counted = [(count, what.one if count == 1 else what.many) for what, count in obstacles.items()]
    parts = ", ".join(f"{count} {words}" for count, words in sorted(counted, key=lambda one: (-one[0], one[1])))
    nodes = f"0/{total} node{'' if total == 1 else 's'} fit"
    return Unscheduled("Unschedulable", f"{nodes}: {parts}{_kept(kept)}", len(kept))


def node_does_not_fit(node: str, obstacle: Obstacle, kept: Sequence[str] = ()) -> Unscheduled:
    """For an instance that names its node."""
    return Unscheduled("Unschedulable", f"Node {node} {obstacle.alone}{_kept(kept)}", len(kept))


def _kept(nodes: Sequence[str]) -> str:
    if not nodes:
        return ""
    shown = ", ".join(nodes[:3]) + (f" and {len(nodes) - 3} more" if len(nodes) > 3 else "")
    return f"; {shown} {'takes' if len(nodes) == 1 else 'take'} nobody else meanwhile"


def no_such_node(node: str) -> Unscheduled:
    return Unscheduled("NodeNotFound", f"There is no node {node}")


def no_such_group(group: str) -> Unscheduled:
    return Unscheduled("GroupNotFound", f"There is no NodeGroup {group}")


def group_empty(groups: Sequence[str]) -> Unscheduled:
    """`groups`: the one asked for and its fallbacks."""
    group, *fallbacks = groups
    also = f", nor in its fallback {' or '.join(fallbacks)}" if fallbacks else ""
    return Unscheduled("GroupEmpty", f"No node is in group {group}{also}")


def template_not_found(template: str) -> Unscheduled:
    return Unscheduled("TemplateNotFound", f"No template {template} in the registry")


def template_ambiguous(name: str, ids: Sequence[str]) -> Unscheduled:
    words = f"{len(ids)} templates are called {name}: give one's UUID ({', '.join(sorted(ids))})"
    return Unscheduled("TemplateAmbiguous", words)


def template_not_ready(name: str) -> Unscheduled:
    return Unscheduled("TemplateNotReady", f"The registry shows no version of template {name} yet")


def tag_not_found(template: str, tag: str, known: Sequence[str]) -> Unscheduled:
    return Unscheduled("TagNotFound", f"Template {template} has no tag {tag}: it has {_latest(known)}")


def version_not_found(template: str, version: int | None, known: Sequence[str]) -> Unscheduled:
    words = f"Template {template} has no version {version}: it has tags {_latest(known)}"
    return Unscheduled("VersionNotFound", words)


def _latest(tags: Sequence[str]) -> str:
    return ", ".join(tags[-5:]) + (f" and {len(tags) - 5} older" if len(tags) > 5 else "")
