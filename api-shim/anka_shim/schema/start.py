"""POST /api/v1/vm, as documented: the parameters of the seed document."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from anka_shim.schema.envelope import Failed, Succeeded

Number = int | str
"""An integer; digits as a string are taken too."""

Flag = bool | int | str


class PortRule(BaseModel):
    name: str = Field(min_length=1, max_length=63, description="Name of the rule.", examples=["web"])
    guest_port: Number = Field(description="Port inside the VM.", examples=["80"])
    host_ip: str | None = Field(default=None, description="Address of the Mac to listen on.")
    host_port: Number | None = Field(default=None, description="Port on the Mac; 10000 and up if absent.")
    protocol: str | None = Field(default=None, description="tcp or udp; tcp if absent.")


class DiskSize(BaseModel):
    size: str = Field(description="Target size: a number followed by T, G, M or K.", examples=["256G"])
    skip_container_resize: Flag | None = Field(default=None, description="Leave the APFS container as it is.")


class StartVm(BaseModel):
    """null, an empty string and, for numbers, 0 mean the default. Unknown fields are ignored."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"vmid": "6b135004-0c89-43bb-b892-74796b8d266c", "count": 2},
                {
                    "vmid": "c12ccfa5-8757-411e-9505-128190e9854e",
                    "tag": "v1",
                    "external_id": "https://ci.example/job/17",
                    "startup_script": "ZWNobyBoZWxsbwo=",
                    "script_monitoring": True,
                    "port_forwarding_override": [{"name": "web", "guest_port": "80", "host_port": "8080"}],
                    "disk": {"size": "256G", "skip_container_resize": True},
                },
            ]
        }
    )

    vmid: str = Field(description="UUID of the template; its name is taken too.")
    tag: str | None = Field(default=None, description="Tag; the latest if absent. Unknown: FAIL `No such tag <tag>`.")
    version: Number | None = Field(default=None, description="Version number instead of a tag.")
    name: str | None = Field(default=None, description="Name of the instance; need not be unique.")
    external_id: str | None = Field(default=None, description="Any text to keep with the instance.")
    count: Number | None = Field(default=None, description="How many to start; 1 if absent.")
    node_id: str | None = Field(default=None, description="Start on this node and no other.")
    startup_script: str | None = Field(default=None, description="Script to run in the VM, base64.")
    startup_script_condition: Number | None = Field(
        default=None, description="0: once the network is up. 1: as soon as the VM has booted."
    )
    script_monitoring: Flag | None = Field(default=None, description="Wait for the script; state Error if it fails.")
    script_timeout: Number | None = Field(default=None, description="Seconds; 90 if absent.")
    script_fail_handler: Number | None = Field(
        default=None, description="VM of a failed script: 0 is stopped, 1 kept, 2 deleted."
    )
    name_template: str | None = Field(
        default=None,
        description="Name of the VM, with $template_name, $template_id, $instance_id, $node_id, $node_name, $ts.",
    )
    group: str | None = Field(default=None, description="Permission group.")
    group_id: str | None = Field(default=None, description="Node group, by id or name.")
    priority: Number | None = Field(default=None, description="1-10000, lower is more urgent; 1000 if absent.")
    usb_device: str | int | None = Field(default=None, description="USB device to attach: group name or location id.")
    vcpu: Number | None = Field(default=None, description="CPU cores instead of the template's.")
    vram: Number | None = Field(default=None, description="RAM in MB instead of the template's.")
    metadata: dict[str, str | int | bool | None] | None = Field(default=None, description="Key-value pairs to keep.")
    mac_address: str | None = Field(
        default=None, description="Instead of the template's.", examples=["00:1A:2B:3C:4D:5E"]
    )
    vlan_tag: Number | None = Field(default=None, description="VLAN id, 1-4094.")
    video_controller: str | None = Field(default=None, description="fbuf or pg (Intel).")
    hvapic: str | None = Field(default=None, description="forceOn or forceOff (Intel).")
    csr_active_config: str | None = Field(default=None, description="forceOn (Intel).")
    network_local: str | None = Field(default=None, description="forceOn or forceOff.")
    hw_serial: str | None = Field(default=None, description="hw.serial (Intel).")
    hw_uuid: str | None = Field(default=None, description="hw.uuid (Intel).")
    port_forwarding_override: list[PortRule] | None = Field(
        default=None, description="Only these rules are made; the template's are left out."
    )
    network_mode: str | None = Field(default=None, description="shared, bridge, host or disconnected.")
    disk: DiskSize | None = Field(default=None, description="Size instead of the template's.")
    vnc_password: str | None = Field(default=None, description="VNC password (Intel).")


class StartedOk(Succeeded):
    body: list[str] = Field(
        min_length=1,
        description="Ids of the instances.",
        examples=[["c983c3bf-a0c0-43dc-54dc-2fd9f7d62fce", "e74dfc0e-dc94-4ca2-575e-3219ac08ffa2"]],
    )


Started = StartedOk | Failed
