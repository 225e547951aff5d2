"""What an instance may ask for beyond its template: script, network, ports, disk, hardware."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from anka_crds.api.fields import Base64, MacAddress, ObjectName, Port, in_words, rule, validations
from anka_crds.api.meta import ApiModel


class Resources(ApiModel):
    vcpu: int | None = Field(default=None, ge=1, le=256, description="CPU cores of the VM; the template's if absent.")
    memory_mib: int | None = Field(
        default=None, ge=512, le=4_194_304, description="RAM of the VM in MiB; the template's if absent."
    )


class SecretKey(ApiModel):
    name: ObjectName = Field(description="Name of a Secret in the namespace of this object.")
    key: Annotated[str, Field(min_length=1, max_length=253, pattern=r"^[-._a-zA-Z0-9]+$")] = Field(
        description="Key in the Secret's data.",
        json_schema_extra=in_words("must be a key of a Secret: letters, digits, '-', '_' and '.'"),
    )


class StartupScript(ApiModel):
    """A script run inside the VM by ``anka run VM sh``, with its text on stdin."""

    model_config = ConfigDict(
        json_schema_extra=validations(
            rule("has(self.content) != has(self.secretRef)", "needs exactly one of content and secretRef"),
        )
    )

    content: Base64 | None = Field(default=None, description="The script, base64-encoded.")
    secret_ref: SecretKey | None = Field(default=None, description="Where the script lies when it holds secrets.")
    condition: Literal["NetworkUp", "Booted"] = Field(
        default="NetworkUp",
        description="When it runs: NetworkUp, once the VM has an IP address; Booted, as soon as the VM has booted.",
    )
    monitoring: bool = Field(
        default=False,
        description=(
            "Whether the instance waits for the script, reports its result, and fails (phase Error) when its exit "
            "code is not 0."
        ),
    )
    timeout_seconds: int = Field(
        default=90,
        ge=1,
        le=86400,
        description="With monitoring: the script is ended and counted as failed after this long.",
    )
    fail_handler: Literal["Stop", "Keep", "Delete"] = Field(
        default="Stop",
        description="With monitoring: what happens to the VM on the Mac when the script fails.",
    )


class PortForward(ApiModel):
    name: Annotated[str, Field(min_length=1, max_length=63)] = Field(
        description="Name of the rule, unique within the instance."
    )
    guest_port: Port = Field(description="Port inside the VM, 1-65535.")
    host_port: Port | None = Field(
        default=None, description="Port on the Mac; chosen by anka (10000 and up) if absent."
    )
    host_ip: Annotated[str, Field(max_length=45)] | None = Field(
        default=None, description="Address of the Mac to listen on; all if absent."
    )
    protocol: Literal["tcp", "udp"] = Field(default="tcp", description="Protocol of the port: tcp or udp.")


class Network(ApiModel):
    mode: Literal["shared", "bridge", "host", "disconnected"] | None = Field(
        default=None, description="Network mode of the VM; the template's if absent."
    )
    local: Literal["forceOn", "forceOff"] | None = Field(
        default=None, description="Whether VMs on one Mac may talk to each other; the template's if absent."
    )
    vlan: (
        Annotated[
            str,
            Field(
                max_length=64,
                pattern=r"^([1-9][0-9]{0,2}|[1-3][0-9]{3}|40[0-8][0-9]|409[0-4])$",
                json_schema_extra=in_words('must be a number from 1 to 4094, in quotes: "12"'),
            ),
        ]
        | None
    ) = Field(
        default=None,
        description="VLAN id, 1-4094. Works with a stopped template in bridge mode on a node that has this VLAN.",
    )
    mac_address: MacAddress | None = Field(
        default=None,
        description="MAC address of the VM: capital letters, ':' between bytes. Needs a stopped template.",
    )


class Disk(ApiModel):
    size: Annotated[str, Field(max_length=64, pattern=r"^[1-9][0-9]{0,8}[TGMK]$")] = Field(
        description="Size of the VM's disk: a number followed by T, G, M or K.",
        json_schema_extra=in_words("must be a whole number followed by T, G, M or K: 256G"),
    )
    skip_container_resize: bool = Field(
        default=False,
        description="Leave the APFS container as it is instead of growing it into the disk on start.",
    )


class Hardware(ApiModel):
    video_controller: Literal["fbuf", "pg"] | None = Field(
        default=None, description="Display controller. Needs Intel and a stopped template."
    )
    hvapic: Literal["forceOn", "forceOff"] | None = Field(
        default=None, description="hvapic of the VM. Needs Intel and a stopped template."
    )
    csr_active_config: Literal["forceOn"] | None = Field(
        default=None, description="csr-active-config of the VM. Needs Intel and a stopped template."
    )
    serial: Annotated[str, Field(min_length=1, max_length=64)] | None = Field(
        default=None, description="hw.serial of the VM. Needs Intel and a stopped template."
    )
    uuid: Annotated[str, Field(min_length=1, max_length=64)] | None = Field(
        default=None, description="hw.uuid of the VM. Needs Intel and a stopped template."
    )
