"""AnkaInstance: one macOS VM, from request to removal."""

from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal

from pydantic import ConfigDict, Field

from anka_crds.api import vm_options
from anka_crds.api.defaults import PRIORITY
from anka_crds.api.fields import (
    IS_PRINTABLE,
    PRINTABLE,
    Label,
    Line,
    ManagerName,
    ObjectName,
    Percent,
    PositiveSeconds,
    Priority,
    Reference,
    Seconds,
    Text,
    at_creation,
    exclusive,
    immutable,
    mutable_with,
    on_change,
    rule,
    validations,
)
from anka_crds.api.limits import MAX_PORT_RULES, MAX_REFUSALS
from anka_crds.api.meta import (
    ApiModel,
    Column,
    KeepingModel,
    KindDefinition,
    KubeObject,
    KubeStatus,
    optional,
    section,
)
from anka_crds.api.states import Phase
from anka_crds.api.vm_info import ResolvedTemplate, ScriptResult, VmInfo

MetadataValues = Annotated[dict[str, Any], Field(max_length=64)]
"""CEL cannot read values of any type: the ValidatingAdmissionPolicy `anka-instance-metadata` checks keys and values."""


class AnkaInstanceSpec(ApiModel):
    """Written by people and, for CI plugins, by the API shim."""

    template: Label = Field(description="UUID or name of the VM template in the registry.")
    tag: Label | None = optional("Tag of the template. Defaults to the latest.")
    version: int | None = optional("Version number of the template, as an alternative to tag.", ge=0)
    display_name: Line | None = optional("Name shown to people. Need not be unique.")
    external_id: Text | None = optional("Identifier in the system that requested the VM, such as the URL of a CI job.")
    metadata: MetadataValues | None = optional(
        "Key-value pairs stored with the instance. Values are strings, integers or booleans."
    )
    node: Reference | None = optional("AnkaNode to run on, by name or displayName. No other is used.")
    group: Reference | None = optional(
        "NodeGroup to run in, by name or displayName, or in its fallback group while it is full."
    )
    permission_group: Label | None = optional(
        "PermissionGroup that the instance is made for, by its displayName. With resource permissions it gets only a "
        "Mac on which the group may create instances, and REST shows it to the members alone."
    )
    priority: Priority = Field(default=PRIORITY, description="Priority from 1 to 10000. Lower numbers are more urgent.")
    name_template: (
        Annotated[str, Field(min_length=1, max_length=200, pattern=PRINTABLE, json_schema_extra=IS_PRINTABLE)] | None
    ) = optional(
        "Name of the VM on the Mac. $template_name, $template_id, $instance_id, $node_id, $node_name and $ts "
        "are filled in."
    )
    startup_script: vm_options.StartupScript | None = optional("Script to run in the VM after it has started.")
    resources: vm_options.Resources | None = optional(
        "CPU and RAM, overriding the template's. Requires a stopped template."
    )
    network: vm_options.Network | None = optional("Network settings, overriding the template's.")
    port_forwarding: list[vm_options.PortForward] | None = optional(
        "Port-forwarding rules. They replace all rules of the template.",
        max_length=MAX_PORT_RULES,
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
    disk: vm_options.VirtualDisk | None = optional("Disk size, overriding the template's.")
    hardware: vm_options.VirtualHardware | None = optional("Virtual hardware settings. Intel Macs only.")
    usb_device: Label | None = optional("USB device to attach, by group name or location id.")
    vnc_password: (
        Annotated[str, Field(min_length=1, max_length=256, pattern=PRINTABLE, json_schema_extra=IS_PRINTABLE)] | None
    ) = optional("VNC password of the VM (Intel only). Prefer vncPasswordSecretRef.")
    vnc_password_secret_ref: vm_options.SecretKey | None = optional(
        "Secret that holds the VNC password, as an alternative to vncPassword."
    )
    ttl_seconds_after_finished: Seconds | None = optional(
        "Seconds after which an instance in Error, Stopped or Terminated is deleted. Absent: never."
    )
    max_lifetime_seconds: PositiveSeconds | None = optional(
        "Seconds after its start at which the instance is deleted. Absent: never."
    )
    start_deadline_seconds: PositiveSeconds | None = optional(
        "Seconds that the instance has to start, from its creation or the loss of its node. Then it fails."
    )
    node_lost_policy: Literal["Fail", "Reschedule"] = Field(
        default="Fail",
        description="When the node is lost, the instance fails (Fail) or runs on another node (Reschedule).",
    )
    restarted_at: datetime | None = optional(
        "Set to the current time to restart the VM. Done when status.restartedAt has the same value."
    )
    managed_by: ManagerName | None = optional(
        "Controller that reconciles the instance, if it is another one than ours: then no operator, agent or REST API "
        "of this cloud touches it. Absent, or anka.veertu.com/operator: ours."
    )


class Refusal(KeepingModel):
    """A Mac that was to run the instance and could not start it, though another may."""

    node_name: ObjectName = Field(description="Name of the AnkaNode.")
    reason: Text = Field(description="Reason, as of condition Ready of an instance that failed.")
    message: Text = Field(description="What failed, for people.")


class AnkaInstanceStatus(KubeStatus, KeepingModel):
    """Written by the scheduler until it sets nodeName, then only by the agent of that node; by both as a whole."""

    # No client uses server-side apply on a status, so the owner of each field is irrelevant. Recording it would double
    # the size of the object and make a status write a third more expensive for the apiserver.
    model_config = ConfigDict(json_schema_extra={"x-kubernetes-map-type": "atomic"})

    phase: Phase = Field(default=Phase.SCHEDULING, description="Phase of the instance.")
    node_name: ObjectName | None = optional("AnkaNode that the instance is bound to.")
    message: Text | None = optional("Why the instance failed, for people.")
    template: ResolvedTemplate | None = optional("Template and version that the spec resolved to.")
    arch: Literal["amd64", "arm64"] | None = optional("Architecture of the VM: amd64 or arm64.")
    registry: Text | None = optional("URL of the registry that holds the template.")
    request_id: Text | None = optional("Id of the current start request.")
    progress_percent: Percent | None = optional("Progress of the pull, in percent.")
    vm: VmInfo | None = optional("The VM as the Mac reports it. Absent until it exists.")
    startup_script: ScriptResult | None = optional("Result of a monitored startup script.")
    vlan: Text | None = optional("VLAN id of the VM.")
    mac_address: Text | None = optional("MAC address of the VM.")
    usb_device: Text | None = optional("Location id of the USB device that is claimed for the VM.")
    kept_free: int | None = optional(
        "Number of Macs that are kept free for the longest-waiting instance with the same requirements.", ge=0
    )
    refusals: list[Refusal] | None = optional(
        "Macs that could not start the instance, in order. It is not bound to them again, and fails after the last.",
        max_length=MAX_REFUSALS,
        json_schema_extra={"x-kubernetes-list-type": "atomic"},
    )
    scheduled_at: datetime | None = optional("Time at which the instance was bound to its node.")
    rescheduled_at: datetime | None = optional(
        "Time at which it lost its node and began to wait for another one. Absent if it never did."
    )
    started_at: datetime | None = optional("Time at which the instance reached Started.")
    finished_at: datetime | None = optional("Time at which the instance reached Error or Stopped.")
    updated_at: datetime | None = optional("Time at which this status was last written.")
    restarted_at: datetime | None = optional("Value of spec.restartedAt at the last completed restart.")


_ONE_PASSWORD = exclusive("vncPassword", "vncPasswordSecretRef", within="spec.")


def find_refusal(status: AnkaInstanceStatus) -> Refusal | None:
    """Of the node that the instance is bound to: it has left it to the operator."""
    last = status.refusals[-1] if status.refusals else None
    return last if last is not None and last.node_name == status.node_name else None


class AnkaInstance(KubeObject):
    """A macOS VM on one of the Macs, started from a template."""

    # Rules about the spec at the level of the object: `on_change` needs the status, to skip writes of the status.
    model_config = ConfigDict(
        json_schema_extra=validations(
            at_creation(exclusive("tag", "version", within="spec.", or_none=", or none for the latest")),
            at_creation(_ONE_PASSWORD),
            # Fields that are used once, when the VM starts: a later change would have no effect.
            on_change(
                *immutable(
                    "template",
                    "tag",
                    "version",
                    "permissionGroup",
                    "nameTemplate",
                    "startupScript",
                    "resources",
                    "network",
                    "portForwarding",
                    "disk",
                    "hardware",
                    "managedBy",
                    within="spec.",
                ),
                *mutable_with("restartedAt", "usbDevice", "vncPassword", "vncPasswordSecretRef", within="spec."),
                _ONE_PASSWORD,
                mark="updatedAt",
            ),
        )
    )

    DEFINITION: ClassVar[KindDefinition] = KindDefinition(
        plural="ankainstances",
        namespaced=True,
        short_names=("ankai", "avm"),
        columns=(
            Column("Phase", ".status.phase", description="Phase of the instance"),
            Column("Ready", ".status.conditions[?(@.type=='Ready')].status", description="Whether it can be used"),
            Column("Node", ".status.nodeName", description="Mac that runs it"),
            Column("Template", ".spec.template", description="Template as requested"),
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
        first_phase="Scheduling",
    )

    kind: str = "AnkaInstance"
    spec: AnkaInstanceSpec = Field(description="Desired state: a template, and what differs from it in this VM.")
    status: AnkaInstanceStatus = section(AnkaInstanceStatus, "Observed state of the VM. Written by controllers only.")
