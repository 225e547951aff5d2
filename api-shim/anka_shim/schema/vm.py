"""GET, PUT and DELETE /api/v1/vm, as documented. A field with default None is left out when empty, never null."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from anka_crds.api.phase import Phase
from anka_shim.schema.envelope import Answer, Failed, Succeeded

Time = str


class Port(Answer):
    guest_port: int
    host_port: int
    protocol: str = Field(examples=["tcp"])
    name: str


class Info(Answer):
    """The VM on the Mac. Times are 0001-01-01T00:00:00Z for never."""

    uuid: str
    name: str
    status: str = Field(examples=["running"])
    version: str
    creation_date: Time
    access_date: Time
    start_date: Time
    stop_date: Time
    timestamp: Time
    cpu_cores: int
    ram: str = Field(examples=["4G"])
    node_id: str
    host_ip: str
    ip: str
    vnc_port: int
    vnc_connection_string: str = Field(default="", description="Left out when empty.")
    port_forwarding: list[Port] = Field(default_factory=list, description="Left out when empty.")


class Script(Answer):
    return_code: int = Field(description="-1 if it timed out.")
    did_timeout: bool
    stdout: str
    stderr: str
    errors: list[str] = Field(default_factory=list, description="Left out when empty.")


class Vm(Answer):
    """An instance. Fields that are not required are left out when empty."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "instance_id": "e51259fe-6277-4776-4de0-016ea5971c7e",
                    "instance_state": "Started",
                    "anka_registry": "http://anka.registry:8089",
                    "vmid": "d792c6f6-198c-470f-9526-9c998efe7ab4",
                    "tag": "vanilla+port-forward-22+brew-git",
                    "vminfo": {
                        "uuid": "27f9cae9-08c4-48ad-8a06-0c10d66a45aa",
                        "name": "mgmtManaged-14.2-arm64-1706114704759425000",
                        "status": "running",
                        "version": "",
                        "creation_date": "2023-12-11T20:18:25Z",
                        "access_date": "2024-01-24T16:51:54Z",
                        "cpu_cores": 4,
                        "ram": "4G",
                        "node_id": "dc76c575-20dc-48be-a2a5-4f672fd758c6",
                        "host_ip": "192.168.0.200",
                        "ip": "192.168.69.15",
                        "vnc_port": 5900,
                        "start_date": "2024-10-13T10:51:34Z",
                        "stop_date": "0001-01-01T00:00:00Z",
                        "timestamp": "2024-01-24T11:51:54Z",
                        "port_forwarding": [{"guest_port": 22, "host_port": 10001, "protocol": "tcp", "name": "ssh"}],
                    },
                    "node_id": "dc76c575-20dc-48be-a2a5-4f672fd758c6",
                    "ts": "2024-01-24T11:51:56Z",
                    "cr_time": "2024-01-24T11:44:59Z",
                    "progress": 0.0,
                    "group_id": "",
                    "external_id": "TEST123",
                    "arch": "arm64",
                    "vlan": "",
                    "usb_device": "",
                }
            ]
        }
    )

    instance_id: str
    instance_state: Phase
    anka_registry: str
    vmid: str
    ts: Time
    cr_time: Time
    progress: float = Field(ge=0, le=1, description="Of the pull, in state Pulling.")
    group_id: str
    vlan: str
    usb_device: str
    message: str = Field(default="", description="Why the instance failed.")
    tag: str = ""
    version: int = 0
    vminfo: Info = Field(default=None)  # type: ignore[assignment]  # absent, but never null
    node_id: str = ""
    inflight_reqid: str = ""
    name: str = ""
    external_id: str = ""
    metadata: dict[str, str | int | bool] = Field(default_factory=dict)
    mac_address: str = ""
    arch: Literal["amd64", "arm64"] = Field(default=None)  # type: ignore[arg-type]
    startup_script: Script = Field(default=None)  # type: ignore[assignment]


class Element(Answer):
    instance_id: str = Field(examples=["e51259fe-6277-4776-4de0-016ea5971c7e"])
    external_id: str | None = Field(examples=["TEST123"])
    name: str | None = Field(examples=[None])
    vm: Vm


class VmListOk(Succeeded):
    body: list[Element]


class OneVmOk(Succeeded):
    body: Vm


class UpdateVm(BaseModel):
    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "My VM name"}]})

    id: str | None = Field(default=None, description="Id of the instance, if not in the query.")
    name: str | None = Field(default=None, description="Name of the instance; need not be unique.")
    external_id: str | None = Field(default=None, description="Any text to keep with the instance.")
    metadata: dict[str, str | int | bool | None] | None = Field(
        default=None, description="Key-value pairs, added to those that are there."
    )


class TerminateVm(BaseModel):
    model_config = ConfigDict(json_schema_extra={"examples": [{"id": "c983c3bf-a0c0-43dc-54dc-2fd9f7d62fce"}]})

    id: str | None = Field(default=None, description="Id of the instance, if not in the query.")
    instance_id: str | None = Field(default=None, description="Another spelling of id.")


class RestartVm(BaseModel):
    model_config = ConfigDict(json_schema_extra={"examples": [{"instance_id": "c2af6080-3ae3-4cd3-64e5-2193f31b9aa5"}]})

    id: str | None = Field(default=None, description="Id of the instance, if not in the query.")
    instance_id: str | None = Field(default=None, description="Another spelling of id.")
    vnc_password: str | None = Field(default=None, description="New VNC password (Intel).")
    usb_device: str | int | None = Field(default=None, description="USB device to attach instead of the present one.")


VmList = VmListOk
OneVm = OneVmOk | Failed
