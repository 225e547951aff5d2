"""AnkaTemplate: a VM template in the registry. The object's name is the template's UUID."""

from datetime import datetime
from typing import Annotated, ClassVar

from pydantic import ConfigDict, Field

from anka_crds.api.fields import Label, ObjectName, Reference, Text, exclusive, validations
from anka_crds.api.limits import MAX_IMAGES, MAX_LABEL, MAX_LOCATIONS, MAX_STATE_FILES, MAX_VERSIONS
from anka_crds.api.meta import ApiModel, Column, KindDefinition, KubeObject, KubeStatus, list_field, optional, section


class DistributionRule(ApiModel):
    """Keeps a tag on Macs, including those that join later."""

    model_config = ConfigDict(
        json_schema_extra=validations(exclusive("tag", "version", or_none=", or none for the latest"))
    )

    # Not a Label, whose rule needs the old value, which elements of an atomic list do not have. It is a tag of the
    # registry or has no effect.
    tag: Annotated[str, Field(min_length=1, max_length=MAX_LABEL)] | None = optional(
        "Tag to keep. Defaults to the latest."
    )
    version: int | None = optional("Version number to keep, as an alternative to tag.", ge=0)
    groups: list[Reference] = list_field(
        "NodeGroups whose Macs keep it, by name or displayName. Without groups and nodes, all Macs do.",
        64,
        list_type="set",
    )
    # More would exceed the CEL cost budget: 16 rules with this many names each.
    nodes: list[Reference] = list_field("AnkaNodes that keep it, by name or displayName.", 512, list_type="set")


class AnkaTemplateSpec(ApiModel):
    display_name: Label | None = optional("Name of the template. Defaults to its name in the registry.")
    distribution: list[DistributionRule] = list_field("Tags of the template to keep on Macs, ready to start.", 16)


class TemplateVersion(ApiModel):
    """One version of the template in the registry: a tag."""

    number: int = Field(ge=0, description="Number of the version, from 0, in the order of pushes.")
    tag: Text = Field(description="Tag of the version.")
    description: Text = Field(default="", description="Description of the tag.")
    config_file: Text = Field(default="", description="No longer filled: REST reads it from the registry itself.")
    nvram: Text = Field(default="", description="No longer filled: REST reads it from the registry itself.")
    images: list[Text] = list_field("No longer filled: REST reads it from the registry itself.", MAX_IMAGES)
    state_files: list[Text] = list_field("No longer filled: REST reads it from the registry itself.", MAX_STATE_FILES)
    state_file: Text = Field(default="", description="No longer filled: REST reads it from the registry itself.")
    size_bytes: int = Field(default=0, ge=0, description="Total size of its files in bytes.")
    arch: Text = Field(default="", description="Architecture: amd64 or arm64. Empty: the template's.")
    last_pull: datetime | None = optional("Time of the last pull.")
    last_push: datetime | None = optional("Time of the last push.")
    creation_date: datetime | None = optional("Time at which the version was created.")
    content_id: Text | None = optional(
        "Opaque identity of the content. A tag that is reverted and pushed again has another."
    )


class TemplateLocation(ApiModel):
    node_name: ObjectName = Field(description="Name of an AnkaNode that has the template.")
    tag: Text | None = optional("Tag of the template that this Mac has.")


class AnkaTemplateStatus(KubeStatus):
    """A mirror of the registry, and the Macs that have the template."""

    name: Text | None = optional("Name of the template in the registry.")
    arch: Text | None = optional("Architecture: amd64 or arm64.")
    size_bytes: int | None = optional("Total size of its files in bytes.", ge=0)
    last_pull: datetime | None = optional("Time of the last pull.")
    last_push: datetime | None = optional("Time of the last push.")
    latest_tag: Text | None = optional("Tag of the newest version.")
    versions: list[TemplateVersion] = list_field(
        "Versions in the order of pushes. The last one is the latest. Of many, the newest: see Ready.",
        MAX_VERSIONS,
    )
    read_request: Label | None = optional(
        "Value of the annotation anka.veertu.com/read-request that the registry was last read for."
    )
    nodes: list[TemplateLocation] = list_field(
        "Macs that have the template, and their tags. Of many, some: see Ready.", MAX_LOCATIONS
    )


class AnkaTemplate(KubeObject):
    """A VM template in the registry. The name of the object is the template's UUID."""

    DEFINITION: ClassVar[KindDefinition] = KindDefinition(
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
    spec: AnkaTemplateSpec = section(AnkaTemplateSpec, "Desired state: where the template is kept ready.")
    status: AnkaTemplateStatus = section(
        AnkaTemplateStatus,
        "Observed state of the template in the registry and on the Macs. Written by controllers only.",
    )
