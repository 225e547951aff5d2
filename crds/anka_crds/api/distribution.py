"""TemplateDistribution: pull a template to Macs, or remove it from them, with progress for every Mac."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, Literal

from pydantic import ConfigDict, Field

from anka_crds.api.fields import Label, ObjectName, Percent, Text, exclusive, frozen, rule, validations
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
from anka_crds.api.vm_info import ResolvedTemplate

DistributionPhase = Literal["Pending", "Running", "Done", "Error", "Cancelled"]


class TemplateDistributionSpec(ApiModel):
    model_config = ConfigDict(
        json_schema_extra=validations(
            exclusive("tag", "version", or_none=", or none for the latest"),
            rule(
                "!(has(self.nodes) && size(self.nodes) > 0 && has(self.group))",
                "nodes and group exclude each other: give one of them, or none for all nodes",
                fieldPath=".nodes",
            ),
            *frozen("template", "tag", "version", "action"),
        )
    )

    template: Label = Field(description="UUID or name of the template.")
    tag: Label | None = Field(default=None, description="Tag; the latest if absent.")
    version: int | None = Field(default=None, ge=0, description="Version number instead of a tag.")
    action: Literal["Pull", "Remove"] = Field(
        default="Pull",
        description="Pull the template to the Macs, or Remove it from them.",
    )
    nodes: list[ObjectName] = Field(
        default_factory=list,
        max_length=1024,
        description="Macs; all if neither nodes nor group are given.",
        json_schema_extra={"x-kubernetes-list-type": "set"},
    )
    group: ObjectName | None = Field(default=None, description="NodeGroup whose Macs are meant.")
    permission_group: Label | None = Field(default=None, description="Permission group on whose behalf it is done.")
    cancelled: bool = Field(default=False, description="Set to true to stop what has not finished.")
    ttl_seconds_after_finished: int | None = Field(
        default=None, ge=0, le=31_536_000, description="Delete the object this long after it finished."
    )


class NodeProgress(ApiModel):
    node_name: ObjectName = Field(description="Name of the AnkaNode.")
    done: bool = Field(default=False, description="Whether the Mac has finished, well or with a message.")
    progress_percent: Percent = Field(default=0, description="Progress of the download in percent.")
    message: Text | None = Field(default=None, description="What went wrong, or what it waits for, if anything.")


class TemplateDistributionStatus(ApiModel):
    observed_generation: int | None = observed_generation_field()
    phase: DistributionPhase = Field(default="Pending", description="Where the request is in its life.")
    requested_at: datetime | None = Field(default=None, description="When the request was taken up.")
    finished_at: datetime | None = Field(default=None, description="When it was over, however it ended.")
    template: ResolvedTemplate | None = Field(
        default=None,
        description="What spec.template and spec.tag meant when it was taken up; without a tag all are removed.",
    )
    registry: Text | None = Field(default=None, description="URL of the registry that is pulled from.")
    aimed_at: Text | None = Field(
        default=None, description="What its Macs were chosen by, the last time they were: nodes, all, or group NAME."
    )
    progress: Text | None = Field(
        default=None, description="For people: how many Macs have finished, of how many, and the mean progress."
    )
    nodes: list[NodeProgress] = Field(
        default_factory=list,
        max_length=1024,
        description="Progress of every Mac that the request is for.",
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["nodeName"]},
    )
    conditions: list[Condition] = conditions_field()


class TemplateDistribution(KubeObject):
    """A request to bring a template to Macs, or to remove it from them."""

    SERVED: ClassVar[Served] = Served(
        plural="templatedistributions",
        namespaced=False,
        short_names=("ankad",),
        columns=(
            Column("Template", ".spec.template"),
            Column("Tag", ".spec.tag"),
            Column("Action", ".spec.action"),
            Column("Phase", ".status.phase"),
            Column("Progress", ".status.progress", description="Macs that have finished, and the mean progress"),
            Column("Age", ".metadata.creationTimestamp", "date"),
            Column("Message", ".status.conditions[?(@.type=='Ready')].message", priority=1),
        ),
        status_default={"phase": "Pending", **PENDING_STATUS},
    )

    kind: str = "TemplateDistribution"
    spec: TemplateDistributionSpec = Field(description="What is wanted: which template, on which Macs.")
    status: TemplateDistributionStatus = Field(
        default_factory=TemplateDistributionStatus,
        description="What is seen of the request. Written by controllers only.",
    )
