"""AnkaInstance: one macOS VM, from request to removal."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal

from pydantic import ConfigDict, Field

from anka_crds.api.fields import (
    Label,
    ObjectName,
    Percent,
    Text,
    at_creation,
    changed_with,
    exclusive,
    frozen,
    on_change,
    rule,
    validations,
)
from anka_crds.api.meta import (
    PENDING_STATUS,
    ApiModel,
    Column,
    Condition,
    KubeObject,
    Served,
    conditions_field,
    observed_generation_field,
)
from anka_crds.api.phase import Phase
from anka_crds.api.vm_info import ResolvedTemplate, ScriptResult, VmInfo
from anka_crds.api.vm_options import Disk, Hardware, Network, PortForward, Resources, SecretKey, StartupScript

MetadataValues = Annotated[dict[str, Any], Field(max_length=64)]
"""CEL can't see into values of any type: the ValidatingAdmissionPolicy `anka-instance-metadata` checks keys and
values."""


class AnkaInstanceSpec(ApiModel):
    """What is wanted. Written by people and, for CI plugins, by the API shim."""

    template: Label = Field(description="UUID or name of the VM template in the registry.")
    tag: Label | None = Field(default=None, description="Tag of the template; the latest if absent.")
    version: int | None = Field(default=None, ge=0, description="Version number of the template instead of a tag.")
    display_name: Text | None = Field(default=None, description="A name for people; need not be unique.")
    external_id: Text | None = Field(
        default=None, description="Identifier in the system that asked for this VM, such as a CI job's URL."
    )
    metadata: MetadataValues | None = Field(
        default=None, description="Key-value pairs kept with the instance: strings, integers or booleans."
    )
    node: ObjectName | None = Field(default=None, description="Run on this AnkaNode and no other.")
    group: ObjectName | None = Field(
        default=None, description="Run on a node of this NodeGroup, or of its fallback group once it is full."
    )
    permission_group: Label | None = Field(
        default=None, description="Permission group on whose behalf the instance was asked for."
    )
    priority: int = Field(default=1000, ge=1, le=10000, description="Urgency, 1-10000: the lower, the more urgent.")
    name_template: Annotated[str, Field(min_length=1, max_length=200)] | None = Field(
        default=None,
        description=(
            "Name of the VM on the Mac. $template_name, $template_id, $instance_id, $node_id, $node_name and $ts "
            "are filled in."
        ),
    )
    startup_script: StartupScript | None = Field(default=None, description="Script run in the VM when it has started.")
    resources: Resources | None = Field(
        default=None, description="CPU and RAM instead of the template's. Needs a stopped template."
    )
    network: Network | None = Field(default=None, description="Network settings instead of the template's.")
    port_forwarding: list[PortForward] | None = Field(
        default=None,
        max_length=64,
        description="Port-forwarding rules instead of the template's: only these are made.",
        json_schema_extra={
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["name"],
            **validations(
                rule(
                    "self.all(a, !has(a.hostPort) || self.exists_one(b, has(b.hostPort) && b.hostPort == a.hostPort"
                    " && b.protocol == a.protocol && (!has(a.hostIp) || !has(b.hostIp) || a.hostIp == b.hostIp)))",
                    "two rules with the same hostPort and protocol: give each a port of its own",
                )
            ),
        },
    )
    disk: Disk | None = Field(default=None, description="Disk size instead of the template's.")
    hardware: Hardware | None = Field(default=None, description="Virtual hardware settings, Intel Macs only.")
    usb_device: Label | None = Field(
        default=None, description="USB device to attach: its group name or its location id."
    )
    vnc_password: Annotated[str, Field(min_length=1, max_length=256)] | None = Field(
        default=None, description="VNC password of the VM (Intel only). Prefer vncPasswordSecretRef."
    )
    vnc_password_secret_ref: SecretKey | None = Field(
        default=None, description="Where the VNC password lies, instead of vncPassword."
    )
    ttl_seconds_after_finished: int | None = Field(
        default=None,
        ge=0,
        le=31_536_000,
        description="Delete the object this long after it reached Error, Stopped or Terminated.",
    )
    max_lifetime_seconds: int | None = Field(
        default=None, ge=1, le=31_536_000, description="Delete the instance this long after it started."
    )
    start_deadline_seconds: int | None = Field(
        default=None,
        ge=1,
        le=31_536_000,
        description="Fail the instance when it has not started this long after creation, or after it lost its node.",
    )
    node_lost_policy: Literal["Fail", "Reschedule"] = Field(
        default="Fail",
        description="What happens when the node is lost: Fail with a message, or run again elsewhere.",
    )
    restarted_at: datetime | None = Field(
        default=None,
        description="Set to the current time to restart the VM; done when status.restartedAt shows the same.",
    )


class AnkaInstanceStatus(ApiModel):
    """What is seen. The scheduler writes it until it has set nodeName; then only the agent of that node does."""

    # Nobody applies a status, so nobody asks who owns which part of it. Remembering that for each field makes an object
    # twice as long, and a status write a third dearer for the apiserver.
    model_config = ConfigDict(json_schema_extra={"x-kubernetes-map-type": "atomic"})

    observed_generation: int | None = observed_generation_field()
    phase: Phase = Field(default=Phase.SCHEDULING, description="Where the instance is in its life.")
    node_name: ObjectName | None = Field(default=None, description="AnkaNode that runs the instance.")
    message: Text | None = Field(default=None, description="Why the instance failed, in words for people.")
    template: ResolvedTemplate | None = Field(default=None, description="Template and tag that are used.")
    arch: Literal["amd64", "arm64"] | None = Field(default=None, description="Architecture of the VM: amd64 or arm64.")
    registry: Text | None = Field(default=None, description="URL of the registry that holds the template.")
    request_id: Text | None = Field(default=None, description="Id of the start request in flight.")
    progress_percent: Percent | None = Field(default=None, description="Progress of the pull, in percent.")
    vm: VmInfo | None = Field(default=None, description="The VM as the Mac shows it; absent until it is there.")
    startup_script: ScriptResult | None = Field(default=None, description="Result of a monitored startup script.")
    vlan: Text | None = Field(default=None, description="VLAN id that the VM was put into.")
    mac_address: Text | None = Field(default=None, description="MAC address given to the VM.")
    usb_device: Text | None = Field(default=None, description="USB device claimed for the VM: its location id.")
    kept_free: int | None = Field(
        default=None,
        ge=0,
        description="How many Macs take nobody else, so that the first who waits for the same finds room.",
    )
    scheduled_at: datetime | None = Field(default=None, description="When a node was chosen for the instance.")
    rescheduled_at: datetime | None = Field(
        default=None, description="When it lost its node and began to wait for another; absent if it never did."
    )
    started_at: datetime | None = Field(default=None, description="When the VM had started.")
    finished_at: datetime | None = Field(default=None, description="When the instance reached Error or Stopped.")
    updated_at: datetime | None = Field(default=None, description="When this status was last written.")
    restarted_at: datetime | None = Field(default=None, description="spec.restartedAt of the last restart done.")
    conditions: list[Condition] = conditions_field()


_ONE_PASSWORD = exclusive("vncPassword", "vncPasswordSecretRef", within="spec.")


class AnkaInstance(KubeObject):
    """One macOS VM on one of the Macs, started from a template."""

    # Rules about the spec, at the object: there `on_change` sees the status too, and so when it has nothing to do.
    model_config = ConfigDict(
        json_schema_extra=validations(
            at_creation(exclusive("tag", "version", within="spec.", or_none=", or none for the latest")),
            at_creation(_ONE_PASSWORD),
            # What is used once, when the VM starts: a change that does nothing would be a lie.
            on_change(
                *frozen(
                    "template",
                    "tag",
                    "version",
                    "nameTemplate",
                    "startupScript",
                    "resources",
                    "network",
                    "portForwarding",
                    "disk",
                    "hardware",
                    within="spec.",
                ),
                *changed_with("restartedAt", "usbDevice", "vncPassword", "vncPasswordSecretRef", within="spec."),
                _ONE_PASSWORD,
            ),
        )
    )

    SERVED: ClassVar[Served] = Served(
        plural="ankainstances",
        namespaced=True,
        short_names=("ankai", "avm"),
        columns=(
            Column("Phase", ".status.phase", description="Where the instance is in its life"),
            Column("Ready", ".status.conditions[?(@.type=='Ready')].status", description="Whether it can be used"),
            Column("Node", ".status.nodeName", description="Mac that runs it"),
            Column("Template", ".spec.template", description="Template as it was asked for"),
            Column("Tag", ".status.template.tag", description="Tag in use"),
            Column("IP", ".status.vm.ip", description="Address of the VM"),
            Column("Age", ".metadata.creationTimestamp", "date"),
            Column("Host", ".status.vm.hostIp", description="Address of the Mac", priority=1),
            Column("SSH", ".status.vm.portForwarding[?(@.guestPort==22)].hostPort", "integer", priority=1),
            Column("Template-Name", ".status.template.name", description="Name of the template in use", priority=1),
            Column("Group", ".spec.group", priority=1),
            Column("Priority", ".spec.priority", "integer", priority=1),
            Column("Reason", ".status.conditions[?(@.type=='Ready')].message", priority=1),
        ),
        selectable=(".status.nodeName", ".status.phase", ".spec.externalId"),
        status_default={"phase": "Scheduling", **PENDING_STATUS},
    )

    kind: str = "AnkaInstance"
    spec: AnkaInstanceSpec = Field(description="What is wanted: a template, and what is to be different for this VM.")
    status: AnkaInstanceStatus = Field(
        default_factory=AnkaInstanceStatus, description="What is seen of the VM. Written by controllers only."
    )
