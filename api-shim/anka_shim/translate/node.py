"""An AnkaNode as the old API shows it (seed document, "Node"; legacy-clients section 1.6 and hazard 6).

What runs on it is counted from the instances, not read from the node's status, which is written rarely.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from anka_crds.api.group import NodeGroup
from anka_crds.api.instance import AnkaInstance
from anka_crds.api.node import AnkaNode, AnkaVersion, UsbDevice
from anka_crds.api.phase import NodeState
from anka_crds.core.lifecycle import holds_slot
from anka_crds.core.memory import mebibytes
from anka_shim.translate.group import group_answer
from anka_shim.translate.times import epoch, rfc3339

Answer = dict[str, Any]


@dataclass(frozen=True)
class Load:
    """What the VMs of a node take: their number, vCPUs, and RAM in MiB."""

    vms: int = 0
    vcpus: int = 0
    vram_mib: int = 0


def load(instances: Iterable[AnkaInstance]) -> Load:
    """Of the instances bound to one node, those that hold room there."""
    vms = vcpus = vram = 0
    for instance in instances:
        vm, asked = instance.status.vm, instance.spec.resources
        if not holds_slot(instance.status.phase, vm.status if vm else None):
            continue
        vms += 1
        vcpus += (vm.cpu_cores if vm else None) or (asked.vcpu if asked else None) or 0
        vram += mebibytes(vm.ram if vm else None) or (asked.memory_mib if asked else None) or 0
    return Load(vms, vcpus, vram)


def state(node: AnkaNode) -> NodeState:
    """A node that people just put into drain mode is shown so at once; the operator's word follows."""
    seen = node.status.state or NodeState.OFFLINE
    return NodeState.DRAIN if node.spec.drain_mode and seen is NodeState.ACTIVE else seen


def capacity(node: AnkaNode) -> int:
    """VMs by number; vCPUs by resource: Jenkins halves that figure (legacy-clients section 1.1)."""
    if node.spec.capacity_mode == "number":
        return node.spec.max_vm_count
    return node.spec.vcpu_override or 2 * (node.status.cpu_count or 0)


def node_answer(node: AnkaNode, groups: Iterable[NodeGroup], taken: Load) -> Answer:
    """`groups`: those of the node, for which an object exists."""
    spec, status, usage = node.spec, node.status, node.status.usage
    known = {group.metadata.name: group for group in groups}
    seen_at = status.updated_at or node.metadata.creation_timestamp
    return {
        "node_id": node.metadata.name,
        "node_name": spec.display_name or node.metadata.name,
        "cpu_count": status.cpu_count or 0,
        "ram": status.ram_gib or 0,
        "vm_count": taken.vms,
        "vcpu_count": taken.vcpus,
        "vram": taken.vram_mib,
        "cpu_util": (usage.cpu_percent if usage else 0) / 100,
        "ram_util": (usage.ram_percent if usage else 0) / 100,
        "ip_address": spec.host or status.ip_address or "",
        "state": str(state(node)),
        "capacity": capacity(node),
        "groups": [group_answer(name, known.get(name)) for name in spec.groups],
        "anka_version": _anka_version(status.anka_version or AnkaVersion()),
        "usb_devices": [_usb(device) for device in status.usb_devices] or None,
        "capacity_mode": spec.capacity_mode,
        "vcpu_override": spec.vcpu_override or 0,
        "ram_override": spec.ram_override_gib or 0,
        "disk_size": status.disk_size_bytes or 0,
        "free_disk_space": usage.free_disk_bytes if usage else 0,
        "anka_disk_usage": usage.anka_disk_bytes if usage else 0,
        # The exporter dies of any other word, and of none.
        "host_arch": status.host_arch or "arm64",
        "templates": [{"uuid": held.uuid, "name": held.name, "tag": held.tag or ""} for held in status.templates],
        "last_updated": rfc3339(seen_at),
        "timestamp": epoch(seen_at),
        "agent_version": status.agent_version or "",
    }


def _anka_version(version: AnkaVersion) -> Answer:
    return {
        "product": version.product or "",
        "version": version.version or "",
        "build": version.build or "",
        "license": version.license or "",
        "expires": version.expires or "",
    }


def _usb(device: UsbDevice) -> Answer:
    return {
        "location_id": device.location_id,
        "name": device.name or "",
        "group": device.group or "",
        "available": device.available,
    }
