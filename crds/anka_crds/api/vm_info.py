"""What the agent reports of a VM: addresses, ports, the result of its startup script."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from anka_crds.api.defaults import PORT_PROTOCOL
from anka_crds.api.fields import Text
from anka_crds.api.limits import MAX_PORT_RULES, MAX_SCRIPT_ERRORS
from anka_crds.api.meta import KeepingModel, optional

VM_DELETED = "deleted"
"""Status of a VM that is no longer on the Mac: our word, none of anka's."""

VM_ADDRESSES = ("host_ip", "ip", "vnc_port", "vnc_connection_string", "port_forwarding")
"""Fields of VmInfo by which a VM is reached. One that is deleted has none."""


class ForwardedPort(KeepingModel):
    name: Text | None = optional("Name of the port-forwarding rule.")
    guest_port: int = Field(description="Port inside the VM.")
    host_port: int = Field(description="Port on the Mac that is forwarded to it.")
    protocol: Text = Field(default=PORT_PROTOCOL, description="Protocol of the port: tcp or udp.")


class VmInfo(KeepingModel):
    """The VM as the anka command reports it; in the legacy API: docs/reference/legacy-api.md#vminfo."""

    uuid: Text = Field(description="UUID of the VM on the Mac.")
    name: Text = Field(description="Name of the VM on the Mac.")
    status: Text = Field(description="Status of the VM, as anka reports it: running, stopped, suspended, failed.")
    version: Text | None = optional("Tag that the VM was cloned from, as anka reports it.")
    creation_date: datetime | None = optional("Time at which the VM was created.")
    access_date: datetime | None = optional("Time at which the VM was last accessed.")
    start_date: datetime | None = optional("Time at which the VM was last started.")
    stop_date: datetime | None = optional("Time at which the VM was last stopped.")
    cpu_cores: int | None = optional("CPU cores that the VM has.")
    ram: Text | None = optional("RAM of the VM, such as 4G.")
    host_ip: Text | None = optional("Address of the Mac that runs the VM.")
    ip: Text | None = optional("Address of the VM on the Mac's network.")
    mac_address: Text | None = optional("MAC address of the VM's network card.")
    vnc_port: int | None = optional("Port on the Mac for VNC access to the VM's screen.")
    vnc_connection_string: Text | None = optional("VNC URL, without the password.")
    port_forwarding: list[ForwardedPort] | None = optional(
        "Port-forwarding rules in effect.",
        max_length=MAX_PORT_RULES,
        json_schema_extra={"x-kubernetes-list-type": "atomic"},
    )
    timestamp: datetime | None = optional("Time at which the agent last read the state of the VM.")


class ScriptResult(KeepingModel):
    """Result of a monitored script; in the legacy API: docs/reference/legacy-api.md#script-result."""

    return_code: int = Field(description="Exit code of the script. -1 if it timed out.")
    did_timeout: bool = Field(default=False, description="Whether the script timed out.")
    stdout: Annotated[str, Field(max_length=131072)] = Field("", description="Last 64 KiB of the standard output.")
    stderr: Annotated[str, Field(max_length=131072)] = Field("", description="Last 64 KiB of the standard error.")
    errors: list[Text] | None = optional(
        "Errors in running the script, if any.",
        max_length=MAX_SCRIPT_ERRORS,
        json_schema_extra={"x-kubernetes-list-type": "atomic"},
    )


class ResolvedTemplate(KeepingModel):
    """The template and version that the spec resolved to. A tag that moves later does not change it."""

    id: Text = Field(description="UUID of the template in the registry.")
    name: Text | None = optional("Name of the template in the registry.")
    tag: Text | None = optional("Tag that the spec resolved to.")
    version: int | None = optional("Version number that the spec resolved to.")
    content_id: Text | None = optional(
        "Opaque identity of what the registry has under the tag. A tag that is reverted and pushed again has another."
    )
