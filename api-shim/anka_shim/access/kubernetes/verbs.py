"""What each right of the REST API is in Kubernetes: what a person would need to do the same with kubectl. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from anka_shim.http.rights import Right


@dataclass(frozen=True, slots=True)
class ResourceVerb:
    """A verb on a resource of anka.veertu.com. Of all namespaces, since REST shows and changes the instances of all;
    `is_local`: of the one in which it makes them."""

    verb: str
    resource: str
    is_local: bool = False

    def __str__(self) -> str:
        return f"{self.verb} {self.resource}"


_INSTANCES, _NODES, _GROUPS = "ankainstances", "ankanodes", "nodegroups"
_TEMPLATES, _DISTRIBUTIONS, _SAVES, _KEYS = "ankatemplates", "templatedistributions", "saveimages", "apikeys"
_POOLS, _PERMISSIONS = "macaddresspools", "permissiongroups"

_PUSH = ResourceVerb("push", _TEMPLATES)
"""Whatever changes the registry, which all namespaces share (docs/operate/security.md)."""

VERBS: Mapping[Right, tuple[ResourceVerb, ...]] = {
    Right.LIST_VMS: (ResourceVerb("list", _INSTANCES),),
    Right.START_VM: (ResourceVerb("create", _INSTANCES, is_local=True),),
    Right.UPDATE_VM: (ResourceVerb("patch", _INSTANCES),),
    Right.TERMINATE_VM: (ResourceVerb("delete", _INSTANCES),),
    Right.LIST_NODES: (ResourceVerb("list", _NODES),),
    Right.DELETE_NODE: (ResourceVerb("delete", _NODES),),
    Right.CHANGE_NODE_CONFIG: (ResourceVerb("patch", _NODES),),
    Right.DELETE_TEMPLATE_FROM_NODES: (ResourceVerb("create", _DISTRIBUTIONS),),
    Right.REGISTRY_DISTRIBUTE: (ResourceVerb("create", _DISTRIBUTIONS), ResourceVerb("patch", _DISTRIBUTIONS)),
    Right.REGISTRY_DISTRIBUTE_STATUS: (ResourceVerb("list", _DISTRIBUTIONS),),
    Right.ADD_NODE_TO_GROUP: (ResourceVerb("patch", _NODES),),
    Right.REMOVE_GROUP_FROM_NODE: (ResourceVerb("patch", _NODES),),
    Right.CREATE_GROUP: (ResourceVerb("create", _GROUPS),),
    Right.GET_GROUPS: (ResourceVerb("list", _GROUPS),),
    Right.UPDATE_GROUP: (ResourceVerb("patch", _GROUPS),),
    Right.DELETE_GROUP: (ResourceVerb("delete", _GROUPS),),
    Right.SAVE_IMAGE: (ResourceVerb("create", _SAVES), _PUSH),
    Right.LIST_IMAGES: (ResourceVerb("list", _SAVES),),
    Right.REGISTRY_LIST: (ResourceVerb("list", _TEMPLATES),),
    Right.REGISTRY_DELETE: (ResourceVerb("delete", _TEMPLATES), _PUSH),
    Right.GET_REGISTRY_DISK_INFO: (ResourceVerb("list", _TEMPLATES),),
    Right.VIEW_LOGS: (ResourceVerb("get", "ankainstances/log"),),
    Right.CREATE_API_KEY: (ResourceVerb("create", _KEYS),),
    Right.GET_API_KEY: (ResourceVerb("list", _KEYS),),
    Right.UPDATE_API_KEY: (ResourceVerb("patch", _KEYS),),
    Right.DELETE_API_KEY: (ResourceVerb("delete", _KEYS),),
    Right.VIEW_PERMISSIONS: (ResourceVerb("list", _PERMISSIONS),),
    Right.VIEW_PERMISSION_GROUPS: (ResourceVerb("list", _PERMISSIONS),),
    Right.UPDATE_PERMISSION_GROUPS: (ResourceVerb("create", _PERMISSIONS), ResourceVerb("patch", _PERMISSIONS)),
    Right.DELETE_PERMISSION_GROUPS: (ResourceVerb("delete", _PERMISSIONS),),
    Right.MAC_ADDRESS: (ResourceVerb("list", _POOLS), ResourceVerb("patch", _POOLS)),
}
"""All of them are needed. Who has logged in with a token of the cluster has no right that is not in this table."""
