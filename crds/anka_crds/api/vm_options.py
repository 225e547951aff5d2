"""What an instance can request beyond its template: script, network, ports, disk, hardware."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from anka_crds.api.defaults import PORT_PROTOCOL, STARTUP_SCRIPT_TIMEOUT_SECONDS
from anka_crds.api.fields import (
    ARGUMENT,
    IS_ARGUMENT,
    Argument,
    Base64,
    MacAddress,
    ObjectName,
    Port,
    in_words,
    rule,
    validations,
)
from anka_crds.api.meta import ApiModel, optional


class Resources(ApiModel):
    vcpu: int | None = optional("Number of CPU cores of the VM. Defaults to the template's.", ge=1, le=256)
    memory_mib: int | None = optional("RAM of the VM in MiB. Defaults to the template's.", ge=512, le=4_194_304)


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
            rule("has(self.content) != has(self.secretRef)", "needs exactly one of content and secretRef")
        )
    )

    content: Base64 | None = optional("The script, base64-encoded.")
    secret_ref: SecretKey | None = optional("Secret that holds the script, as an alternative to content.")
    condition: Literal["NetworkUp", "Booted"] = Field(
        default="NetworkUp",
        description="When the script runs: once the VM has an IP address (NetworkUp), or has booted (Booted).",
    )
    monitoring: bool = Field(
        default=False,
        description=(
            "Whether the instance waits for the script, reports its result, and fails (phase Error) when its exit "
            "code is not 0."
        ),
    )
    timeout_seconds: int = Field(
        default=STARTUP_SCRIPT_TIMEOUT_SECONDS,
        ge=1,
        le=86400,
        description="With monitoring: seconds after which the script is killed and counts as failed.",
    )
    fail_handler: Literal["Stop", "Keep", "Delete"] = Field(
        default="Stop", description="With monitoring: what happens to the VM on the Mac when the script fails."
    )


class PortForward(ApiModel):
    name: Annotated[str, Field(min_length=1, max_length=63, pattern=ARGUMENT, json_schema_extra=IS_ARGUMENT)] = Field(
        description="Name of the rule, unique within the instance."
    )
    guest_port: Port = Field(description="Port inside the VM, 1-65535.")
    host_port: Port | None = optional("Port on the Mac. If absent, anka chooses one from 10000 up.")
    host_ip: Annotated[str, Field(max_length=45, pattern=ARGUMENT, json_schema_extra=IS_ARGUMENT)] | None = optional(
        "Address of the Mac to listen on. Defaults to all."
    )
    protocol: Literal["tcp", "udp"] = Field(default=PORT_PROTOCOL, description="Protocol of the port: tcp or udp.")


class Network(ApiModel):
    mode: Literal["shared", "bridge", "host", "disconnected"] | None = optional(
        "Network mode of the VM. Defaults to the template's."
    )
    local: Literal["forceOn", "forceOff"] | None = optional(
        "Whether VMs on the same Mac can communicate. Defaults to the template's."
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
    ) = optional("VLAN id, 1-4094. Requires a stopped template in bridge mode, and a node with this VLAN.")
    mac_address: MacAddress | None = optional(
        "MAC address of the VM: capital letters, ':' between bytes. Requires a stopped template."
    )


class VirtualDisk(ApiModel):
    size: Annotated[str, Field(max_length=64, pattern=r"^[1-9][0-9]{0,8}[TGMK]$")] = Field(
        description="Size of the VM's disk: a number followed by T, G, M or K.",
        json_schema_extra=in_words("must be a whole number followed by T, G, M or K: 256G"),
    )
    skip_container_resize: bool = Field(
        default=False,
        description="Whether the APFS container keeps its size instead of growing to the disk's at the start.",
    )


class VirtualHardware(ApiModel):
    video_controller: Literal["fbuf", "pg"] | None = optional(
        "Display controller. Requires Intel and a stopped template."
    )
    hvapic: Literal["forceOn", "forceOff"] | None = optional("hvapic of the VM. Requires Intel and a stopped template.")
    csr_active_config: Literal["forceOn"] | None = optional(
        "csr-active-config of the VM. Requires Intel and a stopped template."
    )
    serial: Argument | None = optional("hw.serial of the VM. Requires Intel and a stopped template.")
    uuid: Argument | None = optional("hw.uuid of the VM. Requires Intel and a stopped template.")
