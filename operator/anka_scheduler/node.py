"""An AnkaNode as the scheduler sees it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from anka_crds.api.node import AnkaNode
from anka_crds.api.states import NodeState
from anka_crds.rules.clock import is_skewed
from anka_crds.rules.references import NO_NAMES, NameCatalog
from anka_scheduler.size import TemplateTag, VmSize

VCPUS_PER_CORE = 2
"""In mode resource without vcpuOverride (docs/reference/legacy-api.md#ankacluster)."""
MACOS_GIB = 2
"""RAM left to the Mac in mode resource without ramOverrideGib (same source)."""


@dataclass(frozen=True, slots=True)
class NodeDevice:
    """A USB device of a Mac."""

    location: str
    names: frozenset[str]
    """What else it can be requested by: its group and its name (docs/reference/legacy-api.md#usb)."""
    available: bool = True
    """False: the Mac reports it as in use, perhaps by one of our own VMs."""


@dataclass(frozen=True, slots=True)
class SchedulableNode:
    """The part of an AnkaNode that placement depends on."""

    name: str
    state: NodeState | None = None
    """None until the node controller has written it for the first time."""
    draining: bool = False
    leaving: bool = False
    """Its object is being deleted."""
    clock_skewed: bool = False
    display_name: str | None = None
    groups: frozenset[str] = frozenset()
    """Ids of its groups."""
    arch: str | None = None
    vm_slots: int | None = 0
    """Most VMs at a time (spec.maxVmCount); None if their number is not limited."""
    allocatable: VmSize | None = None
    """In mode resource: what all VMs together may take."""
    tags: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Template id -> tags on its disk."""
    devices: tuple[NodeDevice, ...] = ()
    """Sorted by location."""
    vlans: frozenset[str] = frozenset()
    template_sizes: Mapping[TemplateTag, VmSize] = field(default_factory=dict)
    """What VMs of the templates on its disk take, as far as the Mac reports it."""


def to_schedulable(node: AnkaNode, groups: NameCatalog = NO_NAMES) -> SchedulableNode:
    """`groups`: all NodeGroups, for a Mac that names them as people do."""
    spec, status = node.spec, node.status
    tags: dict[str, set[str]] = {}
    sizes: dict[TemplateTag, VmSize] = {}
    for template in status.templates:
        template_tags = tags.setdefault(template.uuid, set())
        if template.tag is not None:
            template_tags.add(template.tag)
        if template.vcpu and template.memory_mib:
            sizes[template.uuid, template.tag] = VmSize(template.vcpu, template.memory_mib)
    by_resources = spec.capacity_mode == "resource"
    # Apple silicon runs two macOS VMs at a time, whatever their size: there the number counts in either mode.
    by_number = not by_resources or status.host_arch == "arm64"
    return SchedulableNode(
        name=node.metadata.name,
        state=_state(node),
        draining=spec.drain_mode or bool(status.leaving),
        leaving=node.metadata.deletion_timestamp is not None,
        clock_skewed=is_skewed(status.clock_ahead_seconds),
        display_name=spec.display_name,
        groups=groups.to_ids(spec.groups),
        arch=status.host_arch,
        vm_slots=spec.max_vm_count if by_number else None,
        allocatable=_allocatable(node) if by_resources else None,
        tags={uuid: frozenset(template_tags) for uuid, template_tags in tags.items()},
        devices=_devices(node),
        vlans=frozenset(status.vlans),
        template_sizes=sizes,
    )


def _state(node: AnkaNode) -> NodeState | None:
    """What the agent has just reported counts before the node controller has made a state of it: a Mac that starts
    nothing is empty, and would be chosen first."""
    if node.status.state is not NodeState.ACTIVE:
        return node.status.state
    return find_fault(node) or NodeState.ACTIVE


def find_fault(node: AnkaNode) -> NodeState | None:
    """The state of a Mac on which no VM can start, by what its agent reports."""
    anka = node.status.anka_version
    if anka is not None and anka.license_status and anka.license_status.lower() != "valid":
        return NodeState.INACTIVE
    return NodeState.UNHEALTHY if node.status.problem else None


def _allocatable(node: AnkaNode) -> VmSize:
    spec, status = node.spec, node.status
    return VmSize(
        spec.vcpu_override or VCPUS_PER_CORE * (status.cpu_count or 0),
        1024 * (spec.ram_override_gib or max(0, (status.ram_gib or 0) - MACOS_GIB)),
    )


def _devices(node: AnkaNode) -> tuple[NodeDevice, ...]:
    devices = [
        NodeDevice(usb.location_id, frozenset(name for name in (usb.group, usb.name) if name), usb.available)
        for usb in node.status.usb_devices
    ]
    return tuple(sorted(devices, key=lambda device: device.location))
