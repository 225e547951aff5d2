"""What a PermissionGroup can permit: the old controller's ids (docs/reference/legacy-api.md#permissions)."""

from enum import StrEnum


class ControllerPermission(StrEnum):
    """Requests that the REST API answers."""

    LIST_VMS = "list_vms"
    START_VM = "start_vm"
    UPDATE_VM = "update_vm"
    TERMINATE_VM = "terminate_vm"
    LIST_NODES = "list_nodes"
    DELETE_NODE = "delete_node"
    CHANGE_NODE_CONFIG = "change_node_config"
    DELETE_TEMPLATE_FROM_NODES = "delete_template_from_nodes"
    """Ours: the old controller has this permission, but its id is not published."""
    REGISTRY_DISTRIBUTE = "registry_distribute"
    REGISTRY_DISTRIBUTE_STATUS = "registry_distribute_status"
    ADD_NODE_TO_GROUP = "add_node_to_group"
    REMOVE_GROUP_FROM_NODE = "remove_group_from_node"
    CREATE_GROUP = "create_group"
    GET_GROUPS = "get_groups"
    UPDATE_GROUP = "update_group"
    DELETE_GROUP = "delete_group"
    SAVE_IMAGE = "save_image"
    LIST_IMAGES = "list_images"
    REGISTRY_LIST = "registry_list"
    REGISTRY_DELETE = "registry_delete"
    GET_REGISTRY_DISK_INFO = "get_registry_disk_info"
    GET_REGISTRY_FILES = "get_registry_files"
    VIEW_LOGS = "view_logs"
    GET_CONFIG = "get_config"
    CHANGE_CONFIG = "change_config"
    VIEW_PERMISSIONS = "view_permissions"
    VIEW_PERMISSION_GROUPS = "view_permission_groups"
    """The old controller's id has a typing error, which REST reads, too."""
    UPDATE_PERMISSION_GROUPS = "update_permission_groups"
    DELETE_PERMISSION_GROUPS = "delete_permission_groups"
    MAC_ADDRESS = "mac_address"
    CREATE_API_KEY = "create_api_key"
    GET_API_KEY = "get_api_key"
    UPDATE_API_KEY = "update_api_key"
    DELETE_API_KEY = "delete_api_key"


class ResourceKind(StrEnum):
    NODE = "node"
    TEMPLATE = "template"


class NodePermission(StrEnum):
    """What may be done to one node."""

    LIST = "list"
    CHANGE_CONFIG = "change_config"
    REMOVE = "remove"
    FORCE_UPGRADE = "force_upgrade"
    CREATE_INSTANCE = "create_instance"
    DISTRIBUTE = "distribute"
    DELETE_TEMPLATE = "delete_template"


class TemplatePermission(StrEnum):
    """What may be done to one template."""

    LIST = "list"
    GET_CONFIG = "get_config"
    PULL = "pull"
    PUSH_TAG = "push_tag"
    SAVE_IMAGE = "save_image"
    DELETE_REVERT = "delete_revert"
    SET_ARCH = "set_arch"


PERMISSIONS_OF: dict[ResourceKind, tuple[str, ...]] = {
    ResourceKind.NODE: tuple(NodePermission),
    ResourceKind.TEMPLATE: tuple(TemplatePermission),
}
"""By the type of the resource."""
