"""The nodes as the scheduler sees them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from anka_crds.api.node import AnkaNode
from anka_crds.api.phase import NodeState
from anka_operator.scheduler.size import Size, TemplateTag

VCPUS_PER_CORE = 2
"""In mode resource without vcpuOverride (legacy-clients section 3, `ankacluster join`)."""
MACOS_GIB = 2
"""RAM left to the Mac in mode resource without ramOverrideGib (same place)."""


@dataclass(frozen=True, slots=True)
class Device:
    """A USB device of a Mac."""

    location: str
    names: frozenset[str]
    """What else it can be claimed by: its group and its name (seed document, "USB Device Control")."""
    available: bool = True
    """False: the Mac says that somebody has it, perhaps one of our own VMs."""


@dataclass(frozen=True, slots=True)
class Node:
    """What of an AnkaNode matters to placing."""

    name: str
    state: NodeState | None = None
    """None until the node-life controller judged it for the first time."""
    draining: bool = False
    leaving: bool = False
    groups: frozenset[str] = frozenset()
    arch: str | None = None
    slots: int | None = 0
    """Most VMs at a time (spec.maxVmCount); None when their number does not count."""
    room: Size | None = None
    """In mode resource: what all VMs together may take."""
    holds: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Template id -> tags on its disk."""
    devices: tuple[Device, ...] = ()
    """By location."""
    vlans: frozenset[str] = frozenset()
    sizes: Mapping[TemplateTag, Size] = field(default_factory=dict)
    """What templates on its disk take, as far as it says."""


def node_of(node: AnkaNode) -> Node:
    spec, status = node.spec, node.status
    holds: dict[str, set[str]] = {}
    sizes: dict[TemplateTag, Size] = {}
    for held in status.templates:
        tags = holds.setdefault(held.uuid, set())
        if held.tag is not None:
            tags.add(held.tag)
        if held.vcpu and held.memory_mib:
            sizes[held.uuid, held.tag] = Size(held.vcpu, held.memory_mib)
    resource = spec.capacity_mode == "resource"
    # Apple silicon runs two macOS VMs at a time, whatever their size: there their number counts in either mode.
    numbered = not resource or status.host_arch == "arm64"
    return Node(
        name=node.metadata.name,
        state=status.state,
        draining=spec.drain_mode or bool(status.leaving),
        leaving=node.metadata.deletion_timestamp is not None,
        groups=frozenset(spec.groups),
        arch=status.host_arch,
        slots=spec.max_vm_count if numbered else None,
        room=_room(node) if resource else None,
        holds={uuid: frozenset(tags) for uuid, tags in holds.items()},
        devices=_devices(node),
        vlans=frozenset(status.vlans),
        sizes=sizes,
    )


def _room(node: AnkaNode) -> Size:
    spec, status = node.spec, node.status
    return Size(
        spec.vcpu_override or VCPUS_PER_CORE * (status.cpu_count or 0),
        1024 * (spec.ram_override_gib or max(0, (status.ram_gib or 0) - MACOS_GIB)),
    )


def _devices(node: AnkaNode) -> tuple[Device, ...]:
    found = [
        Device(usb.location_id, frozenset(name for name in (usb.group, usb.name) if name), usb.available)
        for usb in node.status.usb_devices
    ]
    return tuple(sorted(found, key=lambda device: device.location))
