"""NodeGroup: a named group of Macs, with the group that takes over when it is full."""

from __future__ import annotations

from typing import ClassVar

from pydantic import ConfigDict, Field

from anka_crds.api.fields import Label, ObjectName, Text, rule, validations
from anka_crds.api.meta import (
    ApiModel,
    Column,
    Condition,
    KubeObject,
    Served,
    conditions_field,
    observed_generation_field,
)


class NodeGroupSpec(ApiModel):
    display_name: Label | None = Field(default=None, description="Name for people; the object's name if absent.")
    description: Text = Field(default="", description="What the group is for, in words for people.")
    fallback_group: ObjectName | None = Field(
        default=None, description="NodeGroup that requests go to while this one is full."
    )


class NodeGroupStatus(ApiModel):
    observed_generation: int | None = observed_generation_field()
    nodes: int | None = Field(default=None, ge=0, description="Number of Macs in the group.")
    active_nodes: int | None = Field(default=None, ge=0, description="Number of Macs in the group that can take VMs.")
    conditions: list[Condition] = conditions_field()


class NodeGroup(KubeObject):
    """A named group of Macs. Macs name their groups in spec.groups."""

    model_config = ConfigDict(
        json_schema_extra=validations(
            rule(
                "!has(self.spec.fallbackGroup) || self.spec.fallbackGroup != self.metadata.name",
                "a group can't be its own fallback: name another NodeGroup",
                fieldPath=".spec.fallbackGroup",
            )
        )
    )

    SERVED: ClassVar[Served] = Served(
        plural="nodegroups",
        namespaced=False,
        short_names=("ankag",),
        columns=(
            Column("Name", ".spec.displayName", description="Name for people"),
            Column("Ready", ".status.conditions[?(@.type=='Ready')].status"),
            Column("Nodes", ".status.nodes", "integer", "Macs in the group"),
            Column("Active", ".status.activeNodes", "integer", "Macs that can take VMs"),
            Column("Fallback", ".spec.fallbackGroup", description="Group used while this one is full"),
            Column("Age", ".metadata.creationTimestamp", "date"),
            Column("Reason", ".status.conditions[?(@.type=='Ready')].message", priority=1),
        ),
    )

    kind: str = "NodeGroup"
    spec: NodeGroupSpec = Field(
        default_factory=NodeGroupSpec, description="What is wanted: names for the group, and its fallback."
    )
    status: NodeGroupStatus = Field(
        default_factory=NodeGroupStatus, description="What is seen of the Macs in the group."
    )
