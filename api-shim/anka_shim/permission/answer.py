"""Permissions and permission groups as REST shows them (docs/reference/legacy-api.md#permissions). Pure.

Labels are those of the old controller's panel, and of the samples in its documentation.
"""

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from anka_crds.api import PermissionGroup
from anka_crds.api.permission_group import PermittedResource
from anka_crds.api.permissions import (
    PERMISSIONS_OF,
    ControllerPermission,
    NodePermission,
    ResourceKind,
    TemplatePermission,
)
from anka_shim.http.answer import Answer, make_ok


class PermissionAnswer(Answer):
    id: ControllerPermission
    label: str
    description: str = Field(description="The requests that it permits.")
    category: str


class WordingAnswer(Answer):
    label: str
    description: str


class ResourceKindAnswer(Answer):
    resource_type: ResourceKind
    permissions: dict[str, WordingAnswer] = Field(description="By id.")


class PermissionGroupAnswer(Answer):
    name: str
    permissions: list[str] = Field(description="Ids, sorted.", examples=[["list_vms", "start_vm"]])


class PermittedResourceAnswer(Answer):
    id: str = Field(examples=["3c101836-9540-4733-9482-604d0c5fbe30"])
    id_type: Literal["id"]
    type: ResourceKind
    permissions: list[str] = Field(description="Ids, sorted.", examples=[["create_instance", "list"]])


class SavedOk(Answer):
    """The one success with a message."""

    status: Literal["OK"]
    message: Literal["Saved"]


PermissionListOk = make_ok("PermissionListOk", list[PermissionAnswer])
ResourceKindListOk = make_ok("ResourceKindListOk", list[ResourceKindAnswer])
PermissionGroupListOk = make_ok("PermissionGroupListOk", list[PermissionGroupAnswer])
PermittedResourceListOk = make_ok("PermittedResourceListOk", list[PermittedResourceAnswer])

_P = ControllerPermission
_CATEGORIES: Mapping[str, Mapping[ControllerPermission, tuple[str, str]]] = {
    "Instances": {
        _P.LIST_VMS: ("List", "GET vm"),
        _P.START_VM: ("Start", "POST vm"),
        _P.UPDATE_VM: ("Modify Instance Metadata", "PUT vm, POST rpc/vm/restart"),
        _P.TERMINATE_VM: ("Terminate", "DELETE vm"),
    },
    "Nodes": {
        _P.LIST_NODES: ("List Nodes", "GET node, usb, vlan"),
        _P.DELETE_NODE: ("Remove Node", "DELETE node"),
        _P.CHANGE_NODE_CONFIG: ("Modify Config", "POST node/config, PUT node/update"),
        _P.DELETE_TEMPLATE_FROM_NODES: ("Delete Template From Nodes", "DELETE registry/vm/remove"),
    },
    "Distribute": {
        _P.REGISTRY_DISTRIBUTE: ("Create Request", "POST, DELETE registry/vm/distribute"),
        _P.REGISTRY_DISTRIBUTE_STATUS: ("List", "GET registry/vm/distribute"),
    },
    "Node Groups": {
        _P.ADD_NODE_TO_GROUP: ("Add Node to Node Group", "POST node/group"),
        _P.REMOVE_GROUP_FROM_NODE: ("Remove Node from Node Group", "DELETE node/group"),
        _P.CREATE_GROUP: ("Create", "POST group"),
        _P.GET_GROUPS: ("List", "GET group"),
        _P.UPDATE_GROUP: ("Modify", "PUT group"),
        _P.DELETE_GROUP: ("Delete", "DELETE group"),
    },
    "Save Image": {
        _P.SAVE_IMAGE: ("Create Request", "POST image"),
        _P.LIST_IMAGES: ("List", "GET image"),
    },
    "Registry Passthrough": {
        _P.REGISTRY_LIST: ("List Registry Templates", "GET registry/vm"),
        _P.REGISTRY_DELETE: ("Delete Registry Template", "DELETE registry/vm, registry/revert"),
        _P.GET_REGISTRY_DISK_INFO: ("Get Registry Disk Information", "GET registry/disk"),
        _P.GET_REGISTRY_FILES: ("Registry File Server", "nothing here: log files need view_logs"),
        _P.VIEW_LOGS: ("Registry Central Logging", "GET logs, /logs/file"),
    },
    "Configuration": {
        _P.GET_CONFIG: ("View Configuration", "nothing here"),
        _P.CHANGE_CONFIG: ("Change Configuration", "nothing here"),
        _P.MAC_ADDRESS: ("MAC Addresses", "GET, PUT, DELETE macaddr"),
    },
    "Permissions": {
        _P.VIEW_PERMISSIONS: ("View Permissions", "GET permission/permissions, permission/resources/permissions"),
        _P.VIEW_PERMISSION_GROUPS: ("View Permission Groups", "GET permission/group and its resources"),
        _P.UPDATE_PERMISSION_GROUPS: ("Update Permission Groups", "POST permission/group"),
        _P.DELETE_PERMISSION_GROUPS: ("Delete Permission Groups", "DELETE permission/group"),
    },
    "API Keys": {
        _P.CREATE_API_KEY: ("Create", "POST apikey"),
        _P.GET_API_KEY: ("List", "GET apikey"),
        _P.UPDATE_API_KEY: ("Update", "PUT apikey"),
        _P.DELETE_API_KEY: ("Delete", "DELETE apikey"),
    },
}
_RESOURCE_LABELS: Mapping[ResourceKind, Mapping[str, tuple[str, str]]] = {
    ResourceKind.NODE: {
        NodePermission.CHANGE_CONFIG: ("Change Node Configuration",) * 2,
        NodePermission.CREATE_INSTANCE: ("Create Instance",) * 2,
        NodePermission.DELETE_TEMPLATE: ("Delete Template from Node",) * 2,
        NodePermission.DISTRIBUTE: ("Distribute Template to Node",) * 2,
        NodePermission.FORCE_UPGRADE: ("Force Node Upgrade",) * 2,
        NodePermission.LIST: ("List Node",) * 2,
        NodePermission.REMOVE: ("Remove Node",) * 2,
    },
    ResourceKind.TEMPLATE: {
        TemplatePermission.DELETE_REVERT: ("Delete and/or Revert Template",) * 2,
        TemplatePermission.GET_CONFIG: ("Get Template Configuration",) * 2,
        TemplatePermission.LIST: ("List Template",) * 2,
        TemplatePermission.PULL: ("Pull Template",) * 2,
        TemplatePermission.PUSH_TAG: ("Push Template Tag",) * 2,
        TemplatePermission.SAVE_IMAGE: ("Save Image Target", "Target Template for Save Image"),
        TemplatePermission.SET_ARCH: ("Set Template Architecture",) * 2,
    },
}


def permission_answers() -> list[PermissionAnswer]:
    return [
        PermissionAnswer.model_construct(id=id_, label=label, description=description, category=category)
        for category, permissions in _CATEGORIES.items()
        for id_, (label, description) in permissions.items()
    ]


def resource_kind_answers() -> list[ResourceKindAnswer]:
    return [
        ResourceKindAnswer.model_construct(
            resource_type=type_,
            permissions={id_: _wording(*_RESOURCE_LABELS[type_][id_]) for id_ in sorted(permissions)},
        )
        for type_, permissions in PERMISSIONS_OF.items()
    ]


def permission_group_answer(group: PermissionGroup) -> PermissionGroupAnswer:
    return PermissionGroupAnswer.model_construct(
        name=group.spec.display_name, permissions=sorted(group.spec.controller_permissions)
    )


def permitted_resource_answer(resource: PermittedResource) -> PermittedResourceAnswer:
    return PermittedResourceAnswer.model_construct(
        id=resource.id, id_type="id", type=resource.type, permissions=sorted(resource.permissions)
    )


def _wording(label: str, description: str) -> WordingAnswer:
    return WordingAnswer.model_construct(label=label, description=description)
