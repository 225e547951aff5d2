"""Why an instance waits: every message about it, for people."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from anka_crds.api.conditions import InstanceReason
from anka_crds.api.states import NodeState
from anka_crds.rules.references import NO_NAMES, NameCatalog, describe_missing
from anka_crds.rules.text import shorten


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why a node cannot take an instance: "1 `singular`", "3 `plural`", "Node mac-1 `predicate`"."""

    singular: str
    plural: str
    predicate: str


@dataclass(frozen=True, slots=True)
class WaitReason:
    """Why no instance of a shape can run now."""

    reason: InstanceReason
    message: str
    reserved: int = 0
    """How many nodes are kept free for this shape."""


def _is(words: str) -> Rejection:
    return Rejection(words, words, f"is {words}")


def _lacks(what: str) -> Rejection:
    return Rejection(f"lacks {what}", f"lack {what}", f"lacks {what}")


# --- what waiting does not change ---


def closed_to(permission_group: str) -> Rejection:
    return _is(f"closed to permission group {permission_group}")


def not_in_group(group: str) -> Rejection:
    return _is(f"not in group {group}")


def not_of_arch(arch: str) -> Rejection:
    return _is(f"not {arch}")


def lacks_vlan(vlan: str) -> Rejection:
    return _lacks(f"vlan {vlan}")


def lacks_usb(device: str) -> Rejection:
    return _lacks(f"usb {device}")


NOT_REQUESTED = _is("not the requested node")
REFUSED = Rejection("has refused it", "have refused it", "has refused it")
TOO_SMALL = _is("too small even when empty")

# --- what people change ---

LEAVING = _is("being removed")
STATES: dict[NodeState | None, Rejection] = {
    None: _is("not seen alive yet"),
    NodeState.OFFLINE: _is("offline"),
    NodeState.INACTIVE: _is("without a valid license"),
    NodeState.UPDATING: _is("updating"),
    NodeState.UNHEALTHY: _is("unhealthy"),
    NodeState.DRAIN: _is("draining"),
}

CLOCK_SKEWED = Rejection("has a wrong clock", "have a wrong clock", "has a wrong clock")

# --- what waiting changes ---

FULL = _is("full")
LACKS_VCPUS = _lacks("vCPUs")
LACKS_MEMORY = _lacks("memory")
RESERVED = _is("kept free for an instance that waits longer")


def usb_in_use(device: str) -> Rejection:
    words = f"usb {device} in use"
    return Rejection(f"has {words}", f"have {words}", f"has {words}")


def port_in_use(port: int) -> Rejection:
    words = f"port {port} in use"
    return Rejection(f"has {words}", f"have {words}", f"has {words}")


# --- why no node fits ---


def no_node_fits(total: int, rejections: Mapping[Rejection, int], reserved: Sequence[str] = ()) -> WaitReason:
    """`0/3 nodes fit: 2 full, 1 draining`, most frequent first. `reserved`: nodes that are kept free for this shape."""
    if not total:
        return WaitReason(InstanceReason.UNSCHEDULABLE, "There are no nodes yet")
    counts = [(count, why.singular if count == 1 else why.plural) for why, count in rejections.items()]
    parts = ", ".join(f"{count} {words}" for count, words in sorted(counts, key=lambda entry: (-entry[0], entry[1])))
    nodes = f"0/{total} node{'' if total == 1 else 's'} fit"
    return WaitReason(InstanceReason.UNSCHEDULABLE, f"{nodes}: {parts}{_name_reserved(reserved)}", len(reserved))


def node_does_not_fit(node: str, rejection: Rejection, reserved: Sequence[str] = ()) -> WaitReason:
    """For an instance that names its node."""
    message = f"Node {node} {rejection.predicate}{_name_reserved(reserved)}"
    return WaitReason(InstanceReason.UNSCHEDULABLE, message, len(reserved))


def _name_reserved(nodes: Sequence[str]) -> str:
    if not nodes:
        return ""
    names = ", ".join(nodes[:3]) + (f" and {len(nodes) - 3} more" if len(nodes) > 3 else "")
    return f"; {names} {'is' if len(nodes) == 1 else 'are'} kept free for it"


def no_such_node(node: str, named: Sequence[str] = ()) -> WaitReason:
    """`named`: the several that have this name, if it is one."""
    if named:
        message = f"{len(named)} nodes are called {node}: give the metadata.name of one: {', '.join(named)}"
        return WaitReason(InstanceReason.NODE_NOT_FOUND, shorten(message, 1024))
    return WaitReason(InstanceReason.NODE_NOT_FOUND, f"There is no node {node}")


def no_such_group(group: str, groups: NameCatalog = NO_NAMES) -> WaitReason:
    return WaitReason(InstanceReason.GROUP_NOT_FOUND, shorten(describe_missing("NodeGroup", group, groups), 1024))


def no_such_permission_group(name: str) -> WaitReason:
    return WaitReason(InstanceReason.PERMISSION_GROUP_NOT_FOUND, f"There is no PermissionGroup {name}")


def group_empty(groups: Sequence[str]) -> WaitReason:
    """`groups`: the requested one and its fallbacks."""
    group, *fallbacks = groups
    also = f", nor in its fallback {' or '.join(fallbacks)}" if fallbacks else ""
    return WaitReason(InstanceReason.GROUP_EMPTY, f"No node is in group {group}{also}")


NO_MAC_ADDRESS = WaitReason(
    InstanceReason.NO_MAC_ADDRESS,
    "No MAC address is free: all of the MACAddressPools are in use, or rest after their use",
)


def template_not_found(template: str) -> WaitReason:
    return WaitReason(InstanceReason.TEMPLATE_NOT_FOUND, f"No template {template} in the registry")


def template_ambiguous(name: str, ids: Sequence[str]) -> WaitReason:
    words = f"{len(ids)} templates are called {name}: give one's UUID ({', '.join(sorted(ids))})"
    return WaitReason(InstanceReason.TEMPLATE_AMBIGUOUS, words)


def template_not_ready(name: str) -> WaitReason:
    return WaitReason(InstanceReason.TEMPLATE_NOT_READY, f"The registry shows no version of template {name} yet")


def tag_not_found(template: str, tag: str, known: Sequence[str]) -> WaitReason:
    return WaitReason(InstanceReason.TAG_NOT_FOUND, f"Template {template} has no tag {tag}: it has {_latest(known)}")


def version_not_found(template: str, version: int | None, known: Sequence[str]) -> WaitReason:
    words = f"Template {template} has no version {version}: it has tags {_latest(known)}"
    return WaitReason(InstanceReason.VERSION_NOT_FOUND, words)


def _latest(tags: Sequence[str]) -> str:
    return ", ".join(tags[-5:]) + (f" and {len(tags) - 5} older" if len(tags) > 5 else "")
