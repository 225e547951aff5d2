"""AnkaNode: a Mac. Its heartbeat is a Lease of the same name; the status is written when something changes."""

from datetime import datetime
from typing import Annotated, ClassVar, Literal

from pydantic import ConfigDict, Field

from anka_crds.api import defaults, limits
from anka_crds.api.fields import (
    IS_PRINTABLE,
    LINE,
    Label,
    Percent,
    Reference,
    Text,
    at_creation,
    in_words,
    rule,
    validations,
)
from anka_crds.api.meta import ApiModel, Column, KindDefinition, KubeObject, KubeStatus, list_field, optional, section
from anka_crds.api.states import NodeState


class AnkaNodeSpec(ApiModel):
    """Configuration of the Mac. The agent creates it from its flags when it joins; after that people own it."""

    display_name: Label | None = optional("Name shown to people. Defaults to metadata.name.")
    host: Annotated[str, Field(min_length=1, max_length=253, pattern=LINE, json_schema_extra=IS_PRINTABLE)] | None = (
        optional("Address at which the VMs of this Mac are reachable. Defaults to the one that the agent detects.")
    )
    groups: list[Reference] = list_field(
        "NodeGroups that the Mac belongs to, by name or displayName.", 64, list_type="set"
    )
    capacity_mode: Literal["number", "resource"] = Field(
        default=defaults.CAPACITY_MODE,
        description="What limits the VMs: their number (number), or their vCPUs and RAM in total (resource).",
    )
    max_vm_count: int = Field(
        default=defaults.MAX_VM_COUNT,
        ge=0,
        le=limits.MAX_VMS,
        description="Maximum number of VMs with capacityMode number; on arm64, where Apple permits two, in both modes.",
    )
    vcpu_override: int | None = optional(
        "vCPUs for VMs with capacityMode resource. Absent or 0: twice the number of cores.", ge=0, le=1024
    )
    ram_override_gib: int | None = optional(
        "RAM in GiB for VMs with capacityMode resource. Absent or 0: all but 2 GiB.", ge=0, le=65536
    )
    drain_mode: bool = Field(
        default=False, description="Whether the Mac is drained: running VMs finish, and no new ones start."
    )
    disable_central_logging: bool = Field(
        default=False, description="Whether logs stay on the Mac instead of going to the registry."
    )
    reserve_space_percent: Percent = Field(
        default=defaults.RESERVE_SPACE_PERCENT, description="Percentage of the disk that pulls of templates leave free."
    )
    vm_prefix: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9._][A-Za-z0-9._-]*$")] = Field(
        default=defaults.VM_PREFIX,
        description="Prefix of the names of VMs. All VMs with this prefix belong to the agent.",
        json_schema_extra=in_words(
            "must be letters, digits, '.', '_' and '-', not '-' first: anka refuses other names", unless_stored=True
        ),
    )
    agent_version: Annotated[str, Field(min_length=1, max_length=64)] | None = optional(
        "Version of the agent to run. Absent: the running one stays."
    )
    agent_checksum: Annotated[str, Field(max_length=64, pattern=r"^[0-9a-f]{64}$")] | None = optional(
        "SHA-256 of the package of agentVersion. Defaults to the .sha256 file beside the package.",
        json_schema_extra=in_words("must be a SHA-256: 64 digits and letters a-f, as sha256sum prints it"),
    )


class AnkaInstallation(ApiModel):
    product: Text | None = optional("Name of the product, as anka reports it.")
    version: Text | None = optional("Version of Anka, such as 3.5.0.")
    build: Text | None = optional("Build number of Anka.")
    license: Text | None = optional("Type of the licence, such as com.veertu.anka.entplus.")
    license_status: Text | None = optional("Status of the licence: valid, or the problem.")
    expires: Text | None = optional("Expiry date of the licence, as anka prints it.")


class LocalTemplate(ApiModel):
    """One tag of a template on the Mac's disk."""

    uuid: Text = Field(description="UUID of the template in the registry.")
    name: Text = Field(description="Name of the template in the registry.")
    tag: Text | None = optional("Tag of the template that the Mac has.")
    size_bytes: int | None = optional("Size of the template on the Mac's disk, in bytes.")
    vcpu: int | None = optional("vCPUs of a VM that does not override them.", ge=0)
    memory_mib: int | None = optional("RAM in MiB of a VM that does not override it.", ge=0)
    last_used: datetime | None = optional("Time at which a VM was last started from it.")


class TemplateTask(ApiModel):
    """A pull or removal for a TemplateDistribution or a rule of an AnkaTemplate, in progress or finished."""

    name: Text = Field(
        description="Name of the TemplateDistribution, or keep:<template>:<tag> for a rule of an AnkaTemplate."
    )
    uid: Text = Field(default="", description="metadata.uid of the TemplateDistribution. Empty for a rule.")
    round: int | None = optional("round of this Mac in the status of the TemplateDistribution.", ge=0)
    progress_percent: Percent = Field(default=0, description="Progress of the download in percent.")
    done: bool = Field(default=False, description="Whether the work has finished, successfully or with a message.")
    message: Text | None = optional("The error, or what the Mac waits for.")


class RequiredTemplate(ApiModel):
    """A tag that spec.distribution of an AnkaTemplate keeps on this Mac, as currently resolved."""

    template: Text = Field(description="UUID of the template in the registry.")
    tag: Text = Field(description="Tag to keep on the Mac.")
    registry: Text | None = optional("URL of the registry that has it.")
    content_id: Text | None = optional("Opaque identity of what the registry has under the tag.")


class AgentUpdate(ApiModel):
    """The update of the agent to spec.agentVersion, until that version runs."""

    version: Text = Field(description="spec.agentVersion that the update installs.")
    checksum: Text | None = optional("spec.agentChecksum that the update checks.")
    failed: bool = Field(default=False, description="Whether the update failed. It is not retried.")
    message: Text = Field(default="", description="Progress of the update, what it waits for, or the error.")


class UsbDevice(ApiModel):
    location_id: Text = Field(description="Location id of the device: the port that it is plugged into.")
    name: Text | None = optional("Name of the device, as the Mac reports it.")
    group: Text | None = optional("Group of interchangeable devices, by whose name instances claim one.")
    available: bool = Field(default=True, description="Whether the device can be claimed.")


class MacUsage(ApiModel):
    """Figures that change all the time: written together with other changes, and every few minutes."""

    vm_count: int = Field(default=0, ge=0, description="Number of VMs that run on the Mac.")
    vcpu_count: int = Field(default=0, ge=0, description="vCPUs of the running VMs.")
    vram_mib: int = Field(default=0, ge=0, description="RAM of the running VMs in MiB.")
    cpu_percent: Percent = Field(default=0, description="CPU utilisation of the Mac, in percent.")
    ram_percent: Percent = Field(default=0, description="RAM utilisation of the Mac, in percent.")
    free_disk_bytes: int = Field(default=0, ge=0, description="Free disk space in bytes.")
    anka_disk_bytes: int = Field(default=0, ge=0, description="Disk space that Anka uses, in bytes.")


class AssignedWork(ApiModel):
    """Rare kinds: the agent watches each of them only while there is something for it, or while it is not told."""

    model_config = ConfigDict(json_schema_extra={"x-kubernetes-map-type": "atomic"})

    saves: bool | None = optional(
        "Whether there are SaveImages that the agent has to know: any of this Mac that has not ended, or whose instance"
        " still exists."
    )
    distributions: bool | None = optional(
        "Whether there are TemplateDistributions that ask something of this Mac which is not done."
    )


class AnkaNodeStatus(KubeStatus):
    """Written by the agent, except state, keptTemplates, unkept, assigned, updateApproved, conditions and
    observedGeneration, which the operator writes, and vlans, which people write: no `anka` command lists those of a
    Mac."""

    state: NodeState | None = optional("State of the Mac, with the values of the legacy API.")
    ip_address: Text | None = optional("IP address of the Mac, as its agent detects it.")
    host_arch: Literal["amd64", "arm64"] | None = optional("Architecture of the Mac.")
    cpu_count: int | None = optional("Number of CPU cores of the Mac.", ge=0)
    ram_gib: int | None = optional("RAM of the Mac in GiB.", ge=0)
    disk_size_bytes: int | None = optional("Size of the Mac's disk in bytes.", ge=0)
    hardware_uuid: Text | None = optional("Hardware UUID of the Mac, which no two Macs share.")
    clock_ahead_seconds: int | None = optional(
        "Seconds by which the Mac's clock is ahead of the API's; negative if it is behind."
    )
    anka_version: AnkaInstallation | None = optional("Anka on the Mac, and its licence.")
    agent_version: Text | None = optional("Version of the agent that runs.")
    problem: Text | None = optional("Why no VM can start on the Mac, as its agent found. Absent if it can.")
    updating: bool | None = optional("True while the agent is being replaced by another version.")
    agent_update: AgentUpdate | None = optional(
        "Update of the agent to spec.agentVersion. Present while another version runs."
    )
    update_approved: Text | None = optional("Version that the agent may install now. Written by the operator.")
    leaving: bool | None = optional("True while the Mac is being disjoined. As with drainMode, no new VMs start.")
    usage: MacUsage | None = optional("Usage of the Mac at the last write.")
    templates: list[LocalTemplate] = list_field("Templates and tags on the Mac's disk.", limits.MAX_LOCAL_TEMPLATES)
    distributions: list[TemplateTask] = list_field(
        "Pulls and removals of templates in progress, for TemplateDistributions and rules.",
        limits.MAX_TEMPLATE_TASKS,
        key="name",
    )
    kept_templates: list[RequiredTemplate] = list_field(
        "Tags that rules of AnkaTemplates keep on this Mac. Written by the operator.", limits.MAX_REQUIRED_TEMPLATES
    )
    usb_devices: list[UsbDevice] = list_field("USB devices that are plugged into the Mac.", limits.MAX_USB_DEVICES)
    omitted: Text | None = optional(
        "What the lists of this status have no room for, or why the API refuses them. Absent if they are complete."
    )
    unkept: int | None = optional(
        "Number of tags that rules keep on this Mac, and keptTemplates has no room for. Written by the operator.", ge=1
    )
    assigned: AssignedWork | None = optional(
        "Whether SaveImages and TemplateDistributions have work for this Mac, so that its agent need not watch them all"
        " the time. Written by the operator; while absent, the agent watches both."
    )
    vlans: list[Text] = list_field("VLAN ids that VMs on this Mac can use.", 4094)
    updated_at: datetime | None = optional("Time at which the agent last wrote this status.")


class AnkaNode(KubeObject):
    """A Mac that runs VMs. Created by its agent when it joins."""

    model_config = ConfigDict(
        json_schema_extra=validations(
            at_creation(
                rule(
                    "size(self.metadata.name) <= 248",
                    "metadata.name must have at most 248 characters: the agent's ServiceAccount is called node-<name>",
                )
            )
        )
    )

    DEFINITION: ClassVar[KindDefinition] = KindDefinition(
        plural="ankanodes",
        namespaced=False,
        short_names=("ankan", "mac"),
        columns=(
            Column("State", ".status.state", description="State of the Mac"),
            Column("Address", ".status.ipAddress", description="Address of the Mac"),
            Column("Max", ".spec.maxVmCount", "integer", "Maximum number of VMs"),
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
    spec: AnkaNodeSpec = section(AnkaNodeSpec, "Configuration of the Mac.")
    status: AnkaNodeStatus = section(
        AnkaNodeStatus, "Observed state of the Mac. Written by its agent and the operator."
    )
