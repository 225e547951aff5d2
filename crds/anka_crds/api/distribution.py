"""TemplateDistribution: pull a template to Macs, or remove it from them, with the progress of each Mac."""

from datetime import datetime
from typing import ClassVar, Literal

from pydantic import ConfigDict, Field

from anka_crds.api.fields import (
    Label,
    Percent,
    Reference,
    Seconds,
    Text,
    at_creation,
    exclusive,
    immutable,
    on_change,
    rule,
    validations,
)
from anka_crds.api.limits import MAX_TARGETS
from anka_crds.api.meta import ApiModel, Column, KindDefinition, KubeObject, KubeStatus, list_field, optional, section
from anka_crds.api.vm_info import ResolvedTemplate

DistributionPhase = Literal["Pending", "Running", "Done", "Error", "Cancelled"]


_ONE_TARGET = rule(
    "!(has(self.spec.nodes) && size(self.spec.nodes) > 0 && has(self.spec.group))",
    "nodes and group exclude each other: give one of them, or none for all nodes",
    fieldPath=".spec.nodes",
)


class TemplateDistributionSpec(ApiModel):
    template: Label = Field(description="UUID or name of the template.")
    tag: Label | None = optional("Tag of the template. Defaults to the latest.")
    version: int | None = optional("Version number, as an alternative to tag.", ge=0)
    action: Literal["Pull", "Remove"] = Field(
        default="Pull", description="Whether the Macs pull the template (Pull) or delete it (Remove)."
    )
    nodes: list[Reference] = list_field(
        "AnkaNodes that the request applies to, by name or displayName. Without nodes and group, it applies to all.",
        MAX_TARGETS,
        list_type="set",
    )
    group: Reference | None = optional("NodeGroup whose Macs the request applies to, by name or displayName.")
    permission_group: Label | None = optional(
        "PermissionGroup that the request is made for, by its displayName. With resource permissions it gets only the "
        "Macs that the group may use for it, and REST shows it to the members alone."
    )
    cancelled: bool = Field(default=False, description="Set to true to stop the Macs that have not finished.")
    ttl_seconds_after_finished: Seconds | None = optional(
        "Seconds after which a finished object is deleted. Absent: never."
    )


class NodeProgress(ApiModel):
    node_name: Reference = Field(description="Name of the AnkaNode.")
    round: int | None = optional(
        "metadata.generation that selected the Mac, if not the first: reports of an earlier time do not count.", ge=0
    )
    done: bool = Field(default=False, description="Whether the Mac has finished, successfully or with a message.")
    progress_percent: Percent = Field(default=0, description="Progress of the download in percent.")
    message: Text | None = optional("The error, or what the Mac waits for.")


class TemplateDistributionStatus(KubeStatus):
    phase: DistributionPhase = Field(default="Pending", description="Phase of the request.")
    requested_at: datetime | None = optional("Time at which a controller accepted the request.")
    finished_at: datetime | None = optional("Time at which the request finished, whatever its result.")
    template: ResolvedTemplate | None = optional(
        "Template and version that the spec resolved to. Without a tag, a removal covers all tags."
    )
    registry: Text | None = optional("URL of the registry that the Macs pull from.")
    aimed_at: Text | None = optional("How the Macs were last selected: nodes, all, or group NAME.")
    progress: Text | None = optional("Summary for people: Macs that are done, all Macs, and the mean progress.")
    nodes: list[NodeProgress] = list_field(
        "Progress of each selected Mac: of those that work, wait for their turn within the list, or have failed. With "
        "more than fit, Macs that have finished make room.",
        MAX_TARGETS,
        key="nodeName",
    )
    finished: int | None = optional("Number of Macs that have finished and are no longer in the list.", ge=0)
    next_node: Text | None = optional("Name from which on Macs still wait for a place in the list. Absent: none waits.")
    waiting: int | None = optional("Number of Macs that wait for a place in the list.", ge=0)


class TemplateDistribution(KubeObject):
    """A request to pull a template to Macs, or to remove it from them."""

    # At the level of the object, so that writes of the status do not pay for them: `on_change`.
    model_config = ConfigDict(
        json_schema_extra=validations(
            at_creation(exclusive("tag", "version", within="spec.", or_none=", or none for the latest")),
            at_creation(_ONE_TARGET),
            on_change(
                *immutable("template", "tag", "version", "action", "permissionGroup", within="spec."), _ONE_TARGET
            ),
        )
    )

    DEFINITION: ClassVar[KindDefinition] = KindDefinition(
        plural="templatedistributions",
        namespaced=False,
        short_names=("ankad",),
        columns=(
            Column("Template", ".spec.template"),
            Column("Tag", ".spec.tag"),
            Column("Action", ".spec.action"),
            Column("Phase", ".status.phase"),
            Column("Progress", ".status.progress", description="Macs that are done, and the mean progress"),
            Column("Age", ".metadata.creationTimestamp", "date"),
            Column("Message", ".status.conditions[?(@.type=='Ready')].message", priority=1),
        ),
        first_phase="Pending",
    )

    kind: str = "TemplateDistribution"
    spec: TemplateDistributionSpec = Field(description="Desired state: which template, on which Macs.")
    status: TemplateDistributionStatus = section(
        TemplateDistributionStatus, "Observed state of the request. Written by controllers only."
    )
