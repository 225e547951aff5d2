"""PermissionGroup: what its members may do in the REST API."""

from typing import Annotated, ClassVar

from pydantic import ConfigDict, Field

from anka_crds.api.fields import Label, NamespaceName, immutable, on_change, rule, validations
from anka_crds.api.limits import MAX_GRANTED_RESOURCES, MAX_LABEL
from anka_crds.api.meta import ApiModel, Column, KindDefinition, KubeObject, list_field, optional
from anka_crds.api.permissions import PERMISSIONS_OF, ControllerPermission, ResourceKind


def _are_of(type_: ResourceKind) -> str:
    permissions = ", ".join(f"'{one}'" for one in PERMISSIONS_OF[type_])
    return f"(self.type != '{type_}' || self.permissions.all(one, one in [{permissions}]))"


_EVERY = max(map(len, PERMISSIONS_OF.values()))


class PermittedResource(ApiModel):
    """One node or template, and what the members may do with it."""

    model_config = ConfigDict(
        json_schema_extra=validations(
            rule(
                f"!has(self.permissions) || {' && '.join(map(_are_of, ResourceKind))}",
                "; ".join(f"of a {type_}: {', '.join(known)}" for type_, known in PERMISSIONS_OF.items()),
                fieldPath=".permissions",
            )
        )
    )

    type: ResourceKind = Field(description="node or template.")
    id: Annotated[str, Field(min_length=1, max_length=MAX_LABEL)] = Field(
        description="metadata.name of the AnkaNode, or UUID of the template. Need not exist yet."
    )
    permissions: list[Annotated[str, Field(max_length=64)]] = list_field(
        "Ids of permissions for this type of resource.", _EVERY, list_type="set"
    )


class PermissionGroupSpec(ApiModel):
    display_name: Label = Field(
        description="By which API keys, certificates and requests name the group; a member of that name belongs to it, "
        "too. Of several objects with one name the oldest counts."
    )
    controller_permissions: list[ControllerPermission] = list_field(
        "Requests to the REST API that the members may make.", len(ControllerPermission), list_type="set"
    )
    resources: list[PermittedResource] = list_field(
        "Nodes and templates that the members may use, where resource permissions are on. Without any node, they may "
        "start instances and pull templates on all nodes; without any template, they have none.",
        MAX_GRANTED_RESOURCES,
    )
    namespace: NamespaceName | None = optional(
        "Namespace in which REST makes the group's instances, where resource permissions are on. Absent: that of all "
        "others. The quotas and rights of this namespace hold for them."
    )


class PermissionGroup(KubeObject):
    """What the members of a group may do in the REST API. Who writes these gives rights."""

    model_config = ConfigDict(json_schema_extra=validations(on_change(*immutable("displayName", within="spec."))))

    DEFINITION: ClassVar[KindDefinition] = KindDefinition(
        plural="permissiongroups",
        namespaced=False,
        short_names=("ankapg",),
        columns=(
            Column("Name", ".spec.displayName", description="Name for clients"),
            Column("Permissions", ".spec.controllerPermissions", description="Requests that members may make"),
            Column("Age", ".metadata.creationTimestamp", "date"),
        ),
    )

    kind: str = "PermissionGroup"
    spec: PermissionGroupSpec = Field(description="Desired state: the group's name and its permissions.")
