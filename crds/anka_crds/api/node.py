"""AnkaNode: a Mac host. Its heartbeat is a Lease of the same name; status is written when something changes."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, ClassVar, Literal

from pydantic import ConfigDict, Field

from anka_crds.api.fields import Label, ObjectName, Percent, Text, in_words, rule, validations
from anka_crds.api.meta import (
    ApiModel,
    Column,
    Condition,
    KubeObject,
    Served,
    conditions_field,
    observed_generation_field,
)
from anka_crds.api.phase import NodeState

VM_PREFIX = "mgmtManaged-"
"""As the old agent names its VMs."""


class AnkaNodeSpec(ApiModel):
    """Configuration of the Mac. The agent creates it from its flags when it joins; from then on people own it."""

    display_name: Label | None = Field(default=None, description="Name for people; the object's name if absent.")
    host: Annotated[str, Field(min_length=1, max_length=253)] | None = Field(
        default=None,
        description="Address at which VMs of this Mac are reached; what the agent found if absent.",
    )
    groups: list[ObjectName] = Field(
        default_factory=list,
        max_length=64,
        description="NodeGroups this Mac belongs to.",
        json_schema_extra={"x-kubernetes-list-type": "set"},
    )
    capacity_mode: Literal["number", "resource"] = Field(
        default="number", description="What limits the VMs: their number, or their vCPUs and RAM together."
    )
    max_vm_count: int = Field(
        default=2,
        ge=0,
        le=256,
        description="Most VMs at a time with capacityMode number; on arm64, where Apple permits two, in either mode.",
    )
    vcpu_override: int | None = Field(
        default=None,
        ge=0,
        le=1024,
        description="vCPUs to hand out with capacityMode resource; twice the cores if absent or 0.",
    )
    ram_override_gib: int | None = Field(
        default=None,
        ge=0,
        le=65536,
        description="RAM in GiB to hand out with capacityMode resource; all but 2 if absent or 0.",
    )
    drain_mode: bool = Field(default=False, description="Running VMs finish, nothing new starts.")
    disable_central_logging: bool = Field(default=False, description="Whether logs stay on the Mac.")
    reserve_space_percent: Percent = Field(
        default=20, description="Share of the disk that pulls of templates leave free, in percent."
    )
    vm_prefix: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9._-]+$")] = Field(
        default=VM_PREFIX,
        description="What names of VMs begin with; VMs so named belong to the agent.",
        json_schema_extra=in_words("must be letters, digits, '.', '_' and '-': anka refuses other names"),
    )
    agent_version: Annotated[str, Field(min_length=1, max_length=64)] | None = Field(
        default=None, description="Version of the agent that should run; the one that runs if absent."
    )
    agent_checksum: Annotated[str, Field(max_length=64, pattern=r"^[0-9a-f]{64}$")] | None = Field(
        default=None,
        description="SHA-256 of the package of agentVersion; what lies beside the package, as .sha256, if absent.",
        json_schema_extra=in_words("must be a SHA-256: 64 digits and letters a-f, as sha256sum prints it"),
    )


class AnkaVersion(ApiModel):
    product: Text | None = Field(default=None, description="Name of the product, as anka shows it.")
    version: Text | None = Field(default=None, description="Version of Anka, such as 3.5.0.")
    build: Text | None = Field(default=None, description="Number of the build of Anka.")
    license: Text | None = Field(default=None, description="Kind of licence, such as com.veertu.anka.entplus.")
    license_status: Text | None = Field(default=None, description="State of the licence: valid, or what is wrong.")
    expires: Text | None = Field(default=None, description="When the licence expires, as anka prints it.")


class HeldTemplate(ApiModel):
    """One tag of a template that lies on the Mac's disk."""

    uuid: Text = Field(description="UUID of the template in the registry.")
    name: Text = Field(description="Name of the template in the registry.")
    tag: Text | None = Field(default=None, description="Tag of the template that the Mac holds.")
    size_bytes: int | None = Field(default=None, description="Size of the template on the Mac's disk, in bytes.")
    vcpu: int | None = Field(default=None, ge=0, description="vCPUs of a VM of it that asks for no other number.")
    memory_mib: int | None = Field(default=None, ge=0, description="RAM of such a VM in MiB.")
    last_used: datetime | None = Field(default=None, description="When a VM was last started from it.")


class TemplateWork(ApiModel):
    """What the agent does, or did last, with a template for a TemplateDistribution or a rule of an AnkaTemplate."""

    name: Text = Field(description="Name of the TemplateDistribution; keep:<template>:<tag> for a rule.")
    uid: Text = Field(default="", description="metadata.uid of the TemplateDistribution; empty for a rule.")
    progress_percent: Percent = Field(default=0, description="Progress of the download in percent.")
    done: bool = Field(default=False, description="Whether it is over, well or with a message.")
    message: Text | None = Field(default=None, description="What went wrong, or what it waits for, if anything.")


class KeptTemplate(ApiModel):
    """A tag that spec.distribution of an AnkaTemplate wants on this Mac, as it resolves now."""

    template: Text = Field(description="UUID of the template in the registry.")
    tag: Text = Field(description="Tag to keep on the Mac.")
    registry: Text | None = Field(default=None, description="URL of the registry that has it.")


class AgentUpdate(ApiModel):
    """The update of the agent to spec.agentVersion, until that version runs."""

    version: Text = Field(description="spec.agentVersion that this is about.")
    checksum: Text | None = Field(default=None, description="spec.agentChecksum that this is about.")
    failed: bool = Field(default=False, description="Whether it failed; it is not tried again.")
    message: Text = Field(default="", description="What is going on, waited for, or went wrong.")


class UsbDevice(ApiModel):
    location_id: Text = Field(description="Where the device is plugged in: its location id.")
    name: Text | None = Field(default=None, description="Name of the device, as the Mac shows it.")
    group: Text | None = Field(default=None, description="Group name by which instances claim it, along with others.")
    available: bool = Field(default=True, description="Whether it can be claimed.")


class Usage(ApiModel):
    """Figures that change all the time: refreshed with other changes and every few minutes, not by themselves."""

    vm_count: int = Field(default=0, ge=0, description="Number of VMs that run on the Mac.")
    vcpu_count: int = Field(default=0, ge=0, description="vCPUs of the running VMs.")
    vram_mib: int = Field(default=0, ge=0, description="RAM of the running VMs in MiB.")
    cpu_percent: Percent = Field(default=0, description="CPU utilisation of the Mac, in percent.")
    ram_percent: Percent = Field(default=0, description="RAM utilisation of the Mac, in percent.")
    free_disk_bytes: int = Field(default=0, ge=0, description="Free disk space in bytes.")
    anka_disk_bytes: int = Field(default=0, ge=0, description="Disk space that Anka uses, in bytes.")


class AnkaNodeStatus(ApiModel):
    """What the agent reports; the operator writes state, keptTemplates, updateApproved, conditions and
    observedGeneration."""

    observed_generation: int | None = observed_generation_field()
    state: NodeState | None = Field(default=None, description="State of the Mac, in the old controller's words.")
    ip_address: Text | None = Field(default=None, description="Address of the Mac, as its agent found it.")
    host_arch: Literal["amd64", "arm64"] | None = Field(default=None, description="Architecture of the Mac.")
    cpu_count: int | None = Field(default=None, ge=0, description="Number of CPU cores of the Mac.")
    ram_gib: int | None = Field(default=None, ge=0, description="RAM of the Mac in GiB.")
    disk_size_bytes: int | None = Field(default=None, ge=0, description="Size of the Mac's disk in bytes.")
    anka_version: AnkaVersion | None = Field(default=None, description="Anka on the Mac, and its licence.")
    agent_version: Text | None = Field(default=None, description="Version of the agent that runs.")
    updating: bool | None = Field(
        default=None, description="True while the agent is being replaced by another version of itself."
    )
    agent_update: AgentUpdate | None = Field(
        default=None, description="Update of the agent to spec.agentVersion, while another one runs."
    )
    update_approved: Text | None = Field(
        default=None, description="Version to which the agent may be updated now. Written by the operator."
    )
    leaving: bool | None = Field(
        default=None, description="True while the Mac is being disjoined: as with drainMode, nothing new starts."
    )
    usage: Usage | None = Field(default=None, description="Usage of the Mac when last written.")
    templates: list[HeldTemplate] = Field(
        default_factory=list,
        max_length=1024,
        description="Templates and tags on the Mac's disk.",
        json_schema_extra={"x-kubernetes-list-type": "atomic"},
    )
    distributions: list[TemplateWork] = Field(
        default_factory=list,
        max_length=64,
        description="Pulls and removals of templates that are under way for TemplateDistributions and rules.",
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]},
    )
    kept_templates: list[KeptTemplate] = Field(
        default_factory=list,
        max_length=256,
        description="Tags that rules of AnkaTemplates want on this Mac. Written by the operator.",
        json_schema_extra={"x-kubernetes-list-type": "atomic"},
    )
    usb_devices: list[UsbDevice] = Field(
        default_factory=list,
        max_length=256,
        description="USB devices that are plugged into the Mac.",
        json_schema_extra={"x-kubernetes-list-type": "atomic"},
    )
    vlans: list[Text] = Field(
        default_factory=list,
        max_length=4094,
        description="VLAN ids that VMs on this Mac can use.",
        json_schema_extra={"x-kubernetes-list-type": "atomic"},
    )
    updated_at: datetime | None = Field(default=None, description="When the agent last wrote this status.")
    conditions: list[Condition] = conditions_field()


class AnkaNode(KubeObject):
    """A Mac that runs VMs. Made by the agent when it joins."""

    model_config = ConfigDict(
        json_schema_extra=validations(
            rule(
                "size(self.metadata.name) <= 248",
                "metadata.name must have at most 248 characters: the agent's ServiceAccount is called node-<name>",
            )
        )
    )

    SERVED: ClassVar[Served] = Served(
        plural="ankanodes",
        namespaced=False,
        short_names=("ankan", "mac"),
        columns=(
            Column("State", ".status.state", description="State of the Mac"),
            Column("Address", ".status.ipAddress", description="Address of the Mac"),
            Column("Max", ".spec.maxVmCount", "integer", "Most VMs at a time"),
            Column("Groups", ".spec.groups", description="NodeGroups it belongs to"),
            Column("Arch", ".status.hostArch", description="Architecture"),
            Column("Age", ".metadata.creationTimestamp", "date"),
            Column("Drain", ".spec.drainMode", "boolean", priority=1),
            Column("Anka", ".status.ankaVersion.version", priority=1),
            Column("Agent", ".status.agentVersion", priority=1),
            Column("Reason", ".status.conditions[?(@.type=='Ready')].message", priority=1),
        ),
        selectable=(".status.state",),
    )

    kind: str = "AnkaNode"
    spec: AnkaNodeSpec = Field(default_factory=AnkaNodeSpec, description="Configuration of the Mac.")
    status: AnkaNodeStatus = Field(
        default_factory=AnkaNodeStatus, description="What is seen of the Mac. Written by its agent and the operator."
    )
