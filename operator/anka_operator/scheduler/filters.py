"""Which nodes an instance may run on; for each other one the first reason why not."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from anka_crds.api.phase import NodeState
from anka_operator.scheduler import reasons
from anka_operator.scheduler.catalog import Resolved
from anka_operator.scheduler.fleet import Device, Node
from anka_operator.scheduler.ledger import Use
from anka_operator.scheduler.reasons import Obstacle
from anka_operator.scheduler.size import DEFAULT_SIZE, Size


class Asked:
    """A shape with its template resolved, its size known and its group's chain found."""

    __slots__ = ("checks", "groups", "size", "template", "usb", "vlan")

    def __init__(
        self,
        template: Resolved,
        groups: Sequence[str] = (),
        *,
        size: Size = DEFAULT_SIZE,
        usb: str | None = None,
        vlan: str | None = None,
    ) -> None:
        self.template = template
        self.groups = tuple(groups)
        """The wanted group and its fallbacks, in order; empty when any node will do."""
        self.size = size
        self.usb = usb
        """Location id, group or name of a USB device."""
        self.vlan = vlan
        self.checks = tuple(check for check, concerns in FILTERS if concerns(self))
        """The filters that can say no to this one at all: with thousands of nodes it matters."""


Filter = Callable[[Node, Asked], Obstacle | None]
"""None when the node passes."""


def in_group(node: Node, asked: Asked) -> Obstacle | None:
    return None if not node.groups.isdisjoint(asked.groups) else reasons.not_in_group(asked.groups[0])


def right_arch(node: Node, asked: Asked) -> Obstacle | None:
    wanted = asked.template.arch
    return None if wanted is None or node.arch in (None, wanted) else reasons.not_of_arch(wanted)


def has_vlan(node: Node, asked: Asked) -> Obstacle | None:
    return None if asked.vlan is None or asked.vlan in node.vlans else reasons.lacks_vlan(asked.vlan)


def has_usb(node: Node, asked: Asked) -> Obstacle | None:
    return None if asked.usb is None or devices_for(node, asked.usb) else reasons.lacks_usb(asked.usb)


def large_enough(node: Node, asked: Asked) -> Obstacle | None:
    room, size = node.room, asked.size
    if room is None or (size.vcpus <= room.vcpus and size.memory_mib <= room.memory_mib):
        return None
    return reasons.TOO_SMALL


def takes_new(node: Node, asked: Asked) -> Obstacle | None:
    if node.leaving:
        return reasons.LEAVING
    if node.draining:
        return reasons.STATES[NodeState.DRAIN]
    return None if node.state is NodeState.ACTIVE else reasons.STATES[node.state]


FILTERS: tuple[tuple[Filter, Callable[[Asked], bool]], ...] = (
    (in_group, lambda asked: bool(asked.groups)),
    (right_arch, lambda asked: asked.template.arch is not None),
    (has_vlan, lambda asked: asked.vlan is not None),
    (has_usb, lambda asked: asked.usb is not None),
    (large_enough, lambda asked: True),
    (takes_new, lambda asked: True),
)
"""In this order, each with whom it concerns: what people can't change by waiting comes first, so that the reason shown
is the one that matters."""


def unfit(node: Node, asked: Asked) -> Obstacle | None:
    """The first reason against this node that no other instance has a part in."""
    for check in asked.checks:
        obstacle = check(node, asked)
        if obstacle is not None:
            return obstacle
    return None


def crowded(node: Node, asked: Asked, use: Use) -> Obstacle | None:
    """What others have taken away; None when there is room. During a round it only ever turns from None to a reason."""
    if node.slots is not None and use.vms >= node.slots:
        return reasons.FULL
    room = node.room
    if room is not None:
        if use.vcpus + asked.size.vcpus > room.vcpus:
            return reasons.LACKS_VCPUS
        if use.memory_mib + asked.size.memory_mib > room.memory_mib:
            return reasons.LACKS_MEMORY
    if asked.usb is not None and free_device(node, asked.usb, use) is None:
        return reasons.usb_in_use(asked.usb)
    return None


def obstacle(node: Node, asked: Asked, use: Use) -> Obstacle | None:
    """The first reason against this node; None when the instance fits."""
    return unfit(node, asked) or crowded(node, asked, use)


def devices_for(node: Node, wanted: str) -> Sequence[Device]:
    """The device at exactly this location, else all that have this group or name."""
    exact = [device for device in node.devices if device.location == wanted]
    return exact or [device for device in node.devices if wanted in device.names]


def free_device(node: Node, wanted: str, use: Use) -> str | None:
    """Location of the first that nobody has: no instance, and nobody else as far as the Mac knows."""
    for device in devices_for(node, wanted):
        if device.available and device.location not in use.usb:
            return device.location
    return None
