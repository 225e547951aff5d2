"""Which right each route needs. A route that is not in this table fails a test."""

from collections.abc import Mapping
from enum import StrEnum


class Right(StrEnum):
    """What a request needs. The values are the old controller's ids of permissions, where it has one
    (docs/reference/legacy-api.md#permissions)."""

    NONE = "none"
    """Needs no credentials, ever: probes, how to log in, and what Macs download before they have any."""
    PEER = "peer"
    """Another replica of this shim."""
    LOGIN = "login"
    """Any valid credentials."""
    UNKNOWN_ROUTE = "unknown route"
    """What is answered with 404 or 405, and OPTIONS. Any valid credentials."""

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
    VIEW_LOGS = "view_logs"
    CREATE_API_KEY = "create_api_key"
    GET_API_KEY = "get_api_key"
    UPDATE_API_KEY = "update_api_key"
    DELETE_API_KEY = "delete_api_key"
    MAC_ADDRESS = "mac_address"


RIGHTS: Mapping[str, Right] = {
    "POST /api/v1/vm": Right.START_VM,
    "GET /api/v1/vm": Right.LIST_VMS,
    "PUT /api/v1/vm": Right.UPDATE_VM,
    "DELETE /api/v1/vm": Right.TERMINATE_VM,
    "POST /api/v1/rpc/vm/restart": Right.UPDATE_VM,
    "GET /api/v1/node": Right.LIST_NODES,
    "DELETE /api/v1/node": Right.DELETE_NODE,
    "POST /api/v1/node/config": Right.CHANGE_NODE_CONFIG,
    "PUT /api/v1/node/update": Right.CHANGE_NODE_CONFIG,
    "GET /api/v1/usb": Right.LIST_NODES,
    "GET /api/v1/vlan": Right.LIST_NODES,
    "GET /api/v1/group": Right.GET_GROUPS,
    "POST /api/v1/group": Right.CREATE_GROUP,
    "PUT /api/v1/group": Right.UPDATE_GROUP,
    "DELETE /api/v1/group": Right.DELETE_GROUP,
    "POST /api/v1/node/group": Right.ADD_NODE_TO_GROUP,
    "DELETE /api/v1/node/group": Right.REMOVE_GROUP_FROM_NODE,
    "GET /api/v1/registry/vm": Right.REGISTRY_LIST,
    "DELETE /api/v1/registry/vm": Right.REGISTRY_DELETE,
    "DELETE /api/v1/registry/revert": Right.REGISTRY_DELETE,
    "GET /api/v1/registry/disk": Right.GET_REGISTRY_DISK_INFO,
    "POST /api/v1/registry/vm/distribute": Right.REGISTRY_DISTRIBUTE,
    "GET /api/v1/registry/vm/distribute": Right.REGISTRY_DISTRIBUTE_STATUS,
    "DELETE /api/v1/registry/vm/distribute": Right.REGISTRY_DISTRIBUTE,
    "DELETE /api/v1/registry/vm/remove": Right.DELETE_TEMPLATE_FROM_NODES,
    "POST /api/v1/image": Right.SAVE_IMAGE,
    "GET /api/v1/image": Right.LIST_IMAGES,
    "GET /api/v1/logs": Right.VIEW_LOGS,
    "GET /logs/file": Right.VIEW_LOGS,
    "GET /logs/stream": Right.VIEW_LOGS,
    "GET /logs/archive": Right.VIEW_LOGS,
    "GET /api/v1/apikey": Right.GET_API_KEY,
    "POST /api/v1/apikey": Right.CREATE_API_KEY,
    "PUT /api/v1/apikey": Right.UPDATE_API_KEY,
    "DELETE /api/v1/apikey": Right.DELETE_API_KEY,
    "GET /api/v1/macaddr": Right.MAC_ADDRESS,
    "PUT /api/v1/macaddr": Right.MAC_ADDRESS,
    "DELETE /api/v1/macaddr": Right.MAC_ADDRESS,
    "POST /tap/v1/hand": Right.NONE,
    "POST /tap/v1/shake": Right.NONE,
    "GET /api/v1/status": Right.LOGIN,
    "GET /api/v1/stats": Right.LOGIN,
    "GET /config/v1/auth": Right.NONE,
    "GET /oidc/v1/login": Right.NONE,
    "GET /oidc/v1/callback": Right.NONE,
    "POST /oidc/v1/logout": Right.NONE,
    "GET /pkg/{file}": Right.NONE,
    "GET /livez": Right.NONE,
    "GET /readyz": Right.NONE,
    "GET /metrics": Right.NONE,
    "GET /peer/reached": Right.PEER,
    "GET /openapi.json": Right.LOGIN,
    "GET /docs": Right.LOGIN,
    "GET /docs/swagger-ui-bundle.js": Right.LOGIN,
    "GET /docs/swagger-ui.css": Right.LOGIN,
    "GET /docs/favicon-32x32.png": Right.LOGIN,
}
"""By method and path of the route, as it is declared. HEAD needs what GET needs."""
