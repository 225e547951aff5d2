"""An AnkaNode as the old API shows it (docs/reference/legacy-api.md#node). Pure.

What runs on it is counted from the instances, not read from the node's status, which is written rarely.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pydantic import Field

from anka_crds.api.group import NodeGroup
from anka_crds.api.instance import AnkaInstance
from anka_crds.api.node import AnkaInstallation, AnkaNode, MacUsage
from anka_crds.api.states import NodeState
from anka_crds.rules.lifecycle import holds_slot
from anka_crds.rules.text import to_mebibytes
from anka_shim.catalog import Catalog
from anka_shim.group.answer import GroupAnswer, group_answer
from anka_shim.http.answer import Answer, Ratio, make_ok
from anka_shim.times import epoch, rfc3339


class AnkaVersionAnswer(Answer):
    product: str
    version: str
    build: str
    license: str
    expires: str


class UsbDeviceAnswer(Answer):
    location_id: str
    name: str
    group: str
    available: bool


class LocalTemplateAnswer(Answer):
    uuid: str
    name: str
    tag: str


class NodeAnswer(Answer):
    """A Mac."""

    node_id: str
    node_name: str
    cpu_count: int = Field(ge=0, description="CPU cores.")
    ram: int = Field(ge=0, description="RAM in GB.")
    vm_count: int = Field(ge=0, description="VMs that take up capacity here.")
    vcpu_count: int = Field(ge=0, description="Their virtual CPUs.")
    vram: int = Field(ge=0, description="Their RAM in MB.")
    cpu_util: Ratio
    ram_util: Ratio
    ip_address: str
    state: NodeState
    capacity: int = Field(ge=0, description="VMs by number; vCPUs with capacity_mode resource.")
    groups: list[GroupAnswer]
    anka_version: AnkaVersionAnswer
    usb_devices: list[UsbDeviceAnswer] | None
    capacity_mode: Literal["number", "resource"]
    vcpu_override: int = Field(ge=0)
    ram_override: int = Field(ge=0)
    disk_size: int = Field(ge=0, description="Bytes.")
    free_disk_space: int = Field(ge=0, description="Bytes.")
    anka_disk_usage: int = Field(ge=0, description="Bytes.")
    host_arch: Literal["amd64", "arm64"]
    templates: list[LocalTemplateAnswer]
    last_updated: str
    timestamp: int = Field(ge=0, description="last_updated in seconds since 1970.")
    agent_version: str


NodeListOk = make_ok("NodeListOk", list[NodeAnswer])


@dataclass(frozen=True, slots=True)
class NodeHeartbeat:
    """The last one of a node, and the usage that came with it."""

    at: datetime | None = None
    usage: MacUsage | None = None


@dataclass(frozen=True)
class NodeLoad:
    """What the VMs of a node take: their number, vCPUs, and RAM in MiB."""

    vms: int = 0
    vcpus: int = 0
    vram_mib: int = 0


def load(instances: Iterable[AnkaInstance]) -> NodeLoad:
    """Of the instances bound to one node, those that take up capacity there."""
    vms = vcpus = vram = 0
    for instance in instances:
        vm, wanted = instance.status.vm, instance.spec.resources
        if not holds_slot(instance.status.phase, vm.status if vm else None):
            continue
        vms += 1
        vcpus += (vm.cpu_cores if vm else None) or (wanted.vcpu if wanted else None) or 0
        vram += to_mebibytes(vm.ram if vm else None) or (wanted.memory_mib if wanted else None) or 0
    return NodeLoad(vms, vcpus, vram)


def state(node: AnkaNode) -> NodeState:
    """A node in drain mode shows it at once; the operator writes its state later."""
    seen = node.status.state or NodeState.OFFLINE
    return NodeState.DRAIN if node.spec.drain_mode and seen is NodeState.ACTIVE else seen


def capacity(node: AnkaNode) -> int:
    """VMs by number; vCPUs by resource: Jenkins halves that figure (docs/reference/legacy-api.md#jenkins)."""
    if node.spec.capacity_mode == "number":
        return node.spec.max_vm_count
    return node.spec.vcpu_override or 2 * (node.status.cpu_count or 0)


def node_answer(
    node: AnkaNode,
    groups: Mapping[str, NodeGroup | None],
    taken: NodeLoad,
    ids: Catalog | None = None,
    *,
    heartbeat: NodeHeartbeat | None = None,
) -> NodeAnswer:
    """`groups`: those of the node, by id; None for one that does not exist. `heartbeat`: its last one, which is
    newer than what the node reports itself."""
    spec, status = node.spec, node.status
    beat = heartbeat or NodeHeartbeat()
    usage = beat.usage or status.usage
    seen = (beat.at, status.updated_at, node.metadata.creation_timestamp)
    seen_at = max((moment for moment in seen if moment is not None), default=None)
    return NodeAnswer.of(
        status,
        node_id=node.metadata.name,
        node_name=spec.display_name or node.metadata.name,
        ram=status.ram_gib or 0,
        vm_count=taken.vms,
        vcpu_count=taken.vcpus,
        vram=taken.vram_mib,
        cpu_util=(usage.cpu_percent if usage else 0) / 100,
        ram_util=(usage.ram_percent if usage else 0) / 100,
        ip_address=spec.host or status.ip_address or "",
        state=state(node),
        capacity=capacity(node),
        groups=[group_answer(id_, group, ids) for id_, group in groups.items()],
        anka_version=AnkaVersionAnswer.of(status.anka_version or AnkaInstallation()),
        usb_devices=[UsbDeviceAnswer.of(device) for device in status.usb_devices] or None,
        capacity_mode=spec.capacity_mode,
        vcpu_override=spec.vcpu_override or 0,
        ram_override=spec.ram_override_gib or 0,
        disk_size=status.disk_size_bytes or 0,
        free_disk_space=usage.free_disk_bytes if usage else 0,
        anka_disk_usage=usage.anka_disk_bytes if usage else 0,
        # The exporter crashes on any other value, and without one.
        host_arch=status.host_arch or "arm64",
        templates=[LocalTemplateAnswer.of(template) for template in status.templates],
        last_updated=rfc3339(seen_at),
        timestamp=epoch(seen_at),
    )
