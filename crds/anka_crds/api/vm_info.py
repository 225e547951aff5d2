"""What is seen of a VM on its Mac: addresses, ports, the result of its startup script."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field

from anka_crds.api.fields import Text
from anka_crds.api.meta import ApiModel


class ForwardedPort(ApiModel):
    name: Text | None = Field(default=None, description="Name of the port-forwarding rule.")
    guest_port: int = Field(description="Port inside the VM that is reached.")
    host_port: int = Field(description="Port on the Mac that leads to it.")
    protocol: Text = Field(default="tcp", description="Protocol of the port: tcp or udp.")


class VmInfo(ApiModel):
    """The VM as the anka command shows it: `vminfo` of the seed document."""

    uuid: Text = Field(description="UUID of the VM on the Mac.")
    name: Text = Field(description="Name of the VM on the Mac.")
    status: Text = Field(description="Status word of the anka command: running, stopped, suspended, failed.")
    version: Text | None = Field(default=None, description="Tag the VM was cloned from, as anka shows it.")
    creation_date: datetime | None = Field(default=None, description="When the VM was created.")
    access_date: datetime | None = Field(default=None, description="When the VM was last accessed.")
    start_date: datetime | None = Field(default=None, description="When the VM was last started.")
    stop_date: datetime | None = Field(default=None, description="When the VM was last stopped.")
    cpu_cores: int | None = Field(default=None, description="CPU cores that the VM has.")
    ram: Text | None = Field(default=None, description="RAM of the VM, such as 4G.")
    host_ip: Text | None = Field(default=None, description="Address of the Mac that runs the VM.")
    ip: Text | None = Field(default=None, description="Address of the VM on the Mac's network.")
    mac_address: Text | None = Field(default=None, description="MAC address of the VM's network card.")
    vnc_port: int | None = Field(
        default=None, description="Port on the Mac at which the VM's screen is reached by VNC."
    )
    vnc_connection_string: Text | None = Field(default=None, description="VNC URL without its password.")
    port_forwarding: list[ForwardedPort] | None = Field(
        default=None,
        max_length=64,
        description="Port-forwarding rules in force.",
        json_schema_extra={"x-kubernetes-list-type": "atomic"},
    )
    timestamp: datetime | None = Field(default=None, description="When the agent last looked at the VM.")


class ScriptResult(ApiModel):
    """Result of a monitored script: `startup_script` and `script_result` of the seed document."""

    return_code: int = Field(description="Exit code of the script; -1 if it timed out.")
    did_timeout: bool = Field(default=False, description="Whether the script ran out of time.")
    stdout: Annotated[str, Field(max_length=131072)] = Field(
        default="", description="Standard output, its last 64 KiB."
    )
    stderr: Annotated[str, Field(max_length=131072)] = Field(default="", description="Standard error, its last 64 KiB.")
    errors: list[Text] | None = Field(
        default=None,
        max_length=16,
        description="Errors of running the script, if any.",
        json_schema_extra={"x-kubernetes-list-type": "atomic"},
    )


class ResolvedTemplate(ApiModel):
    """What spec.template and spec.tag meant when the object was taken up: a moving tag no longer moves it."""

    id: Text = Field(description="UUID of the template in the registry.")
    name: Text | None = Field(default=None, description="Name of the template in the registry.")
    tag: Text | None = Field(default=None, description="Tag that is meant.")
    version: int | None = Field(default=None, description="Version number that is meant.")
