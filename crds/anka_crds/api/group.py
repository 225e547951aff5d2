"""NodeGroup: a named group of Macs, with the group that takes over when it is full."""

from typing import ClassVar

from pydantic import ConfigDict, Field

from anka_crds.api.fields import Label, Reference, Text, rule, validations
from anka_crds.api.meta import ApiModel, Column, KindDefinition, KubeObject, KubeStatus, optional, section


class NodeGroupSpec(ApiModel):
    display_name: Label | None = optional("Name shown to people. Defaults to metadata.name.")
    description: Text = Field(default="", description="What the group is for.")
    fallback_group: Reference | None = optional(
        "NodeGroup that takes instances while this one is full, by name or displayName."
    )


class NodeGroupStatus(KubeStatus):
    nodes: int | None = optional("Number of Macs in the group.", ge=0)
    active_nodes: int | None = optional("Number of Macs in the group that can take VMs.", ge=0)


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

    DEFINITION: ClassVar[KindDefinition] = KindDefinition(
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
    spec: NodeGroupSpec = section(NodeGroupSpec, "Desired state: names of the group, and its fallback.")
    status: NodeGroupStatus = section(NodeGroupStatus, "Observed state of the group. Written by controllers only.")
