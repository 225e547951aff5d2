"""GET /api/v1/node, as documented."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from anka_crds.api.phase import NodeState
from anka_shim.schema.envelope import Answer, Failed, Succeeded
from anka_shim.schema.group import Group
from anka_shim.schema.start import Flag, Number


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
    """A Mac."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "node_id": "32c6cf26-009c-4aec-97c9-a5832ce1452c",
                    "node_name": "MacPro1",
                    "cpu_count": 6,
                    "ram": 36,
                    "vm_count": 1,
                    "vcpu_count": 4,
                    "vram": 4096,
                    "cpu_util": 0.28,
                    "ram_util": 0.1,
                    "ip_address": "192.168.0.106",
                    "state": "Active",
                    "capacity": 2,
                    "groups": [{"id": "ios", "name": "iOS", "description": "", "fallback_group_id": None}],
                    "anka_version": {
                        "product": "Anka Build Enterpriseplus",
                        "version": "3.5.0",
                        "build": "191",
                        "license": "com.veertu.anka.entplus",
                        "expires": "17-aug-2027",
                    },
                    "usb_devices": None,
                    "capacity_mode": "number",
                    "vcpu_override": 0,
                    "ram_override": 0,
                    "disk_size": 994662584320,
                    "free_disk_space": 306762862592,
                    "anka_disk_usage": 132683026432,
                    "host_arch": "arm64",
                    "templates": [{"uuid": "0222a870-0b8c-44b3-989c-775f5cd0785f", "name": "14.5-arm64", "tag": "v1"}],
                    "last_updated": "2026-09-24T13:27:31Z",
                    "timestamp": 1790256451,
                    "agent_version": "0.1.0",
                }
            ]
        }
    )

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


class ConfigureNode(BaseModel):
    """Only what is given changes."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"node_id": "f8707005-4630-4c9c-8403-c9c5964097f6", "name": "MacPro1", "max_vm_count": 6},
                {"node_id": "3c101836-9540-4733-9482-604d0c5fbe30", "drain_mode": True},
            ]
        }
    )

    node_id: str = Field(description="Id of the node.")
    max_vm_count: Number | None = Field(default=None, description="Most VMs at a time, 0-256.")
    name: str | None = Field(default=None, max_length=256, description="Name for people.")
    host: str | None = Field(default=None, max_length=253, description="Address at which its VMs are reached.")
    capacity_mode: str | None = Field(default=None, description="number (of VMs), or resource (vCPUs and RAM).")
    vcpu_override: Number | None = Field(default=None, description="vCPUs to hand out by resource; 0: no override.")
    ram_override: Number | None = Field(default=None, description="RAM in GB to hand out by resource; 0: no override.")
    disable_central_logging: Flag | None = Field(default=None, description="Keep logs on the Mac.")
    drain_mode: Flag | None = Field(default=None, description="Running VMs finish, nothing new starts.")


class UpdateAgents(BaseModel):
    model_config = ConfigDict(
        json_schema_extra={"examples": [{}, {"node_ids": ["f8707005-4630-4c9c-8403-c9c5964097f6"]}]}
    )

    node_ids: list[str] | None = Field(default=None, description="Ids of nodes; all nodes if absent or empty.")


class DeleteNode(BaseModel):
    model_config = ConfigDict(json_schema_extra={"examples": [{"node_id": "f8707005-4630-4c9c-8403-c9c5964097f6"}]})

    node_id: str = Field(description="Id of the node.")


class NodeListOk(Succeeded):
    body: list[Node]


NodeList = NodeListOk | Failed
