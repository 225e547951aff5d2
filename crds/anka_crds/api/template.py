"""AnkaTemplate: a VM template in the registry. The object's name is the template's UUID."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from pydantic import ConfigDict, Field

from anka_crds.api.fields import Label, ObjectName, Text, exclusive, validations
from anka_crds.api.meta import (
    ApiModel,
    Column,
    Condition,
    KubeObject,
    Served,
    conditions_field,
    observed_generation_field,
)


class DistributionRule(ApiModel):
    """Keep a tag on Macs, also on those that join later."""

    model_config = ConfigDict(
        json_schema_extra=validations(
            exclusive("tag", "version", or_none=", or none for the latest"),
        )
    )

    tag: Label | None = Field(default=None, description="Tag to keep; the latest if absent.")
    version: int | None = Field(default=None, ge=0, description="Version number to keep instead of a tag.")
    groups: list[ObjectName] = Field(
        default_factory=list,
        max_length=64,
        description="NodeGroups whose Macs keep it; all Macs if neither groups nor nodes are given.",
        json_schema_extra={"x-kubernetes-list-type": "set"},
    )
    nodes: list[ObjectName] = Field(
        default_factory=list,
        max_length=512,  # more would break the CEL cost budget: 16 rules of as many names
        description="AnkaNodes that keep it, by name.",
        json_schema_extra={"x-kubernetes-list-type": "set"},
    )


class AnkaTemplateSpec(ApiModel):
    display_name: Label | None = Field(default=None, description="Name of the template; the registry's if absent.")
    distribution: list[DistributionRule] = Field(
        default_factory=list,
        max_length=16,
        description="Tags of the template to keep ready on Macs.",
        json_schema_extra={"x-kubernetes-list-type": "atomic"},
    )


class TemplateVersion(ApiModel):
    """One version of the template in the registry: a tag."""

    number: int = Field(ge=0, description="Serial number of the version, from 0, in the order of pushes.")
    tag: Text = Field(description="Name of the tag that the version has.")
    description: Text = Field(default="", description="What people wrote about the tag.")
    config_file: Text = Field(default="", description="Name of the VM configuration file.")
    nvram: Text = Field(default="", description="Name of the version's NVRAM file.")
    images: list[Text] = Field(
        default_factory=list,
        max_length=256,
        description="Names of the version's image files.",
        json_schema_extra={"x-kubernetes-list-type": "atomic"},
    )
    state_files: list[Text] = Field(
        default_factory=list,
        max_length=64,
        description="Files with the state of a suspended VM.",
        json_schema_extra={"x-kubernetes-list-type": "atomic"},
    )
    state_file: Text = Field(default="", description="Name of the state file in use, if there are several.")
    size_bytes: int = Field(default=0, ge=0, description="Size of all its files in bytes.")
    arch: Text = Field(default="", description="Architecture: amd64 or arm64; the template's if empty.")
    last_pull: datetime | None = Field(default=None, description="When it was last pulled.")
    last_push: datetime | None = Field(default=None, description="When it was last pushed.")
    creation_date: datetime | None = Field(default=None, description="When the version was made.")


class NodeHolding(ApiModel):
    node_name: ObjectName = Field(description="Name of an AnkaNode that holds the template.")
    tag: Text | None = Field(default=None, description="Tag of the template that this Mac holds.")


class AnkaTemplateStatus(ApiModel):
    """The registry's view, mirrored, and which Mac holds what."""

    observed_generation: int | None = observed_generation_field()
    name: Text | None = Field(default=None, description="Name of the template in the registry.")
    arch: Text | None = Field(default=None, description="Architecture: amd64 or arm64.")
    size_bytes: int | None = Field(default=None, ge=0, description="Size of all its files in bytes.")
    last_pull: datetime | None = Field(default=None, description="When it was last pulled.")
    last_push: datetime | None = Field(default=None, description="When it was last pushed.")
    latest_tag: Text | None = Field(default=None, description="Tag of the newest version.")
    versions: list[TemplateVersion] = Field(
        default_factory=list,
        max_length=512,
        description="Versions in the order of pushes: the last is the latest.",
        json_schema_extra={"x-kubernetes-list-type": "atomic"},
    )
    nodes: list[NodeHolding] = Field(
        default_factory=list,
        max_length=4096,
        description="Macs that hold the template, and which tag.",
        json_schema_extra={"x-kubernetes-list-type": "atomic"},
    )
    conditions: list[Condition] = conditions_field()


class AnkaTemplate(KubeObject):
    """A VM template in the registry; its object's name is its UUID."""

    SERVED: ClassVar[Served] = Served(
        plural="ankatemplates",
        namespaced=False,
        short_names=("ankat",),
        columns=(
            Column("Name", ".status.name", description="Name of the template"),
            Column("Latest", ".status.latestTag", description="Tag of the newest version"),
            Column("Arch", ".status.arch", description="Architecture"),
            Column("Size", ".status.sizeBytes", "integer", "Size in bytes"),
            Column("Age", ".metadata.creationTimestamp", "date"),
            Column("Ready", ".status.conditions[?(@.type=='Ready')].status", priority=1),
        ),
    )

    kind: str = "AnkaTemplate"
    spec: AnkaTemplateSpec = Field(
        default_factory=AnkaTemplateSpec, description="What is wanted: where the template is to be kept ready."
    )
    status: AnkaTemplateStatus = Field(
        default_factory=AnkaTemplateStatus, description="What is seen of the template in the registry and on the Macs."
    )
