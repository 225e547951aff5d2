"""GET /api/v1/node, as documented."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from anka_crds.api.phase import NodeState
from anka_shim.schema.envelope import Answer, Failed, Succeeded


class Group(Answer):
    id: str
    name: str
    description: str
    fallback_group_id: str | None


class AnkaVersion(Answer):
    product: str
    version: str
    build: str
    license: str
    expires: str


class UsbDevice(Answer):
    location_id: str
    name: str
    group: str
    available: bool


class HeldTemplate(Answer):
    uuid: str
    name: str
    tag: str


class Node(Answer):
    node_id: str
    node_name: str
    cpu_count: int = Field(ge=0, description="CPU cores.")
    ram: int = Field(ge=0, description="RAM in GB.")
    vm_count: int = Field(ge=0, description="VMs that hold a place here.")
    vcpu_count: int = Field(ge=0, description="Their virtual CPUs.")
    vram: int = Field(ge=0, description="Their RAM in MB.")
    cpu_util: float = Field(ge=0, le=1)
    ram_util: float = Field(ge=0, le=1)
    ip_address: str
    state: NodeState
    capacity: int = Field(ge=0, description="VMs by number; vCPUs with capacity_mode resource.")
    groups: list[Group]
    anka_version: AnkaVersion
    usb_devices: list[UsbDevice] | None
    capacity_mode: Literal["number", "resource"]
    vcpu_override: int = Field(ge=0)
    ram_override: int = Field(ge=0)
    disk_size: int = Field(ge=0, description="Bytes.")
    free_disk_space: int = Field(ge=0, description="Bytes.")
    anka_disk_usage: int = Field(ge=0, description="Bytes.")
    host_arch: Literal["amd64", "arm64"]
    templates: list[HeldTemplate]
    last_updated: str
    timestamp: int = Field(ge=0, description="last_updated in seconds since 1970.")
    agent_version: str


class NodeListOk(Succeeded):
    body: list[Node]


NodeList = NodeListOk | Failed
