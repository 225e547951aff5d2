"""Which nodes an instance may run on, and for every other node, the first reason against it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from anka_crds.api.permissions import NodePermission
from anka_crds.api.states import NodeState
from anka_crds.rules.resource_permissions import ResourcePermissions
from anka_scheduler import reasons
from anka_scheduler.catalog import ResolvedVersion
from anka_scheduler.host_port import HostPort, find_taken
from anka_scheduler.ledger import NodeUsage
from anka_scheduler.node import NodeDevice, SchedulableNode
from anka_scheduler.reasons import Rejection
from anka_scheduler.size import DEFAULT_SIZE, VmSize


@dataclass(frozen=True, slots=True)
class Owner:
    """The permission group that an instance is made for."""

    name: str
    permissions: ResourcePermissions


class Requirements:
    """A shape whose template, size and chain of groups are resolved."""

    __slots__ = ("filters", "groups", "owner", "ports", "refused", "size", "template", "usb", "vlan")

    def __init__(
        self,
        template: ResolvedVersion,
        groups: Sequence[str] = (),
        *,
        size: VmSize = DEFAULT_SIZE,
        usb: str | None = None,
        vlan: str | None = None,
        ports: frozenset[HostPort] = frozenset(),
        refused: frozenset[str] = frozenset(),
        owner: Owner | None = None,
    ) -> None:
        self.template = template
        self.groups = tuple(groups)
        """The requested group and its fallbacks, in order; empty when any node will do."""
        self.size = size
        self.usb = usb
        """Location id, group or name of a USB device."""
        self.vlan = vlan
        self.ports = ports
        self.refused = refused
        self.owner = owner
        """None where any node is permitted."""
        # With thousands of nodes it pays to skip the filters that cannot reject these requirements.
        self.filters = tuple(check for check, applies in FILTERS if applies(self))


Filter = Callable[[SchedulableNode, Requirements], Rejection | None]
"""None if the node passes."""


def check_owner(node: SchedulableNode, requirements: Requirements) -> Rejection | None:
    owner = requirements.owner
    if owner is None or owner.permissions.permits_node(node.name, NodePermission.CREATE_INSTANCE):
        return None
    return reasons.closed_to(owner.name)


def check_group(node: SchedulableNode, requirements: Requirements) -> Rejection | None:
    return None if not node.groups.isdisjoint(requirements.groups) else reasons.not_in_group(requirements.groups[0])


def check_arch(node: SchedulableNode, requirements: Requirements) -> Rejection | None:
    arch = requirements.template.arch
    return None if arch is None or node.arch in (None, arch) else reasons.not_of_arch(arch)


def check_vlan(node: SchedulableNode, requirements: Requirements) -> Rejection | None:
    vlan = requirements.vlan
    return None if vlan is None or vlan in node.vlans else reasons.lacks_vlan(vlan)


def check_usb(node: SchedulableNode, requirements: Requirements) -> Rejection | None:
    usb = requirements.usb
    return None if usb is None or match_devices(node, usb) else reasons.lacks_usb(usb)


def check_size(node: SchedulableNode, requirements: Requirements) -> Rejection | None:
    allocatable, size = node.allocatable, requirements.size
    if allocatable is None or (size.vcpus <= allocatable.vcpus and size.memory_mib <= allocatable.memory_mib):
        return None
    return reasons.TOO_SMALL


def check_refused(node: SchedulableNode, requirements: Requirements) -> Rejection | None:
    return reasons.REFUSED if node.name in requirements.refused else None


def check_state(node: SchedulableNode, requirements: Requirements) -> Rejection | None:
    if node.leaving:
        return reasons.LEAVING
    if node.draining:
        return reasons.STATES[NodeState.DRAIN]
    if node.state is not NodeState.ACTIVE:
        return reasons.STATES[node.state]
    return reasons.CLOCK_SKEWED if node.clock_skewed else None


FILTERS: tuple[tuple[Filter, Callable[[Requirements], bool]], ...] = (
    (check_owner, lambda requirements: requirements.owner is not None),
    (check_group, lambda requirements: bool(requirements.groups)),
    (check_arch, lambda requirements: requirements.template.arch is not None),
    (check_vlan, lambda requirements: requirements.vlan is not None),
    (check_usb, lambda requirements: requirements.usb is not None),
    (check_size, lambda requirements: True),
    (check_refused, lambda requirements: bool(requirements.refused)),
    (check_state, lambda requirements: True),
)
"""Each filter with the requirements that it applies to. What waiting cannot change comes first, so that the rejection
that is shown is the one that matters."""


def static_rejection(node: SchedulableNode, requirements: Requirements) -> Rejection | None:
    """The first reason against this node that does not depend on other instances."""
    for check in requirements.filters:
        rejection = check(node, requirements)
        if rejection is not None:
            return rejection
    return None


def capacity_rejection(node: SchedulableNode, requirements: Requirements, usage: NodeUsage) -> Rejection | None:
    """What other instances take up; None if the instance fits. During a round it only ever turns from None to a
    rejection."""
    if node.vm_slots is not None and usage.vms >= node.vm_slots:
        return reasons.FULL
    allocatable = node.allocatable
    if allocatable is not None:
        if usage.vcpus + requirements.size.vcpus > allocatable.vcpus:
            return reasons.LACKS_VCPUS
        if usage.memory_mib + requirements.size.memory_mib > allocatable.memory_mib:
            return reasons.LACKS_MEMORY
    if requirements.usb is not None and find_free_device(node, requirements.usb, usage) is None:
        return reasons.usb_in_use(requirements.usb)
    if requirements.ports and (port := find_taken(requirements.ports, usage.ports)) is not None:
        return reasons.port_in_use(port)
    return None


def first_rejection(node: SchedulableNode, requirements: Requirements, usage: NodeUsage) -> Rejection | None:
    """The first reason against this node; None if the instance fits."""
    return static_rejection(node, requirements) or capacity_rejection(node, requirements, usage)


def match_devices(node: SchedulableNode, usb: str) -> Sequence[NodeDevice]:
    """The device at exactly this location, else all devices of this group or name."""
    exact = [device for device in node.devices if device.location == usb]
    return exact or [device for device in node.devices if usb in device.names]


def find_free_device(node: SchedulableNode, usb: str, usage: NodeUsage) -> str | None:
    """Location of the first matching device that no instance has and that the Mac reports as available."""
    for device in match_devices(node, usb):
        if device.available and device.location not in usage.usb:
            return device.location
    return None
