"""Which right each route needs. A route that is not in this table fails a test."""

from collections.abc import Mapping
from enum import StrEnum

from anka_crds.api.permissions import ControllerPermission


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

    LIST_VMS = ControllerPermission.LIST_VMS
    START_VM = ControllerPermission.START_VM
    UPDATE_VM = ControllerPermission.UPDATE_VM
    TERMINATE_VM = ControllerPermission.TERMINATE_VM
    LIST_NODES = ControllerPermission.LIST_NODES
    DELETE_NODE = ControllerPermission.DELETE_NODE
    CHANGE_NODE_CONFIG = ControllerPermission.CHANGE_NODE_CONFIG
    DELETE_TEMPLATE_FROM_NODES = ControllerPermission.DELETE_TEMPLATE_FROM_NODES
    REGISTRY_DISTRIBUTE = ControllerPermission.REGISTRY_DISTRIBUTE
    REGISTRY_DISTRIBUTE_STATUS = ControllerPermission.REGISTRY_DISTRIBUTE_STATUS
    ADD_NODE_TO_GROUP = ControllerPermission.ADD_NODE_TO_GROUP
    REMOVE_GROUP_FROM_NODE = ControllerPermission.REMOVE_GROUP_FROM_NODE
    CREATE_GROUP = ControllerPermission.CREATE_GROUP
    GET_GROUPS = ControllerPermission.GET_GROUPS
    UPDATE_GROUP = ControllerPermission.UPDATE_GROUP
    DELETE_GROUP = ControllerPermission.DELETE_GROUP
    SAVE_IMAGE = ControllerPermission.SAVE_IMAGE
    LIST_IMAGES = ControllerPermission.LIST_IMAGES
    REGISTRY_LIST = ControllerPermission.REGISTRY_LIST
    REGISTRY_DELETE = ControllerPermission.REGISTRY_DELETE
    GET_REGISTRY_DISK_INFO = ControllerPermission.GET_REGISTRY_DISK_INFO
    VIEW_LOGS = ControllerPermission.VIEW_LOGS
    VIEW_PERMISSIONS = ControllerPermission.VIEW_PERMISSIONS
    VIEW_PERMISSION_GROUPS = ControllerPermission.VIEW_PERMISSION_GROUPS
    UPDATE_PERMISSION_GROUPS = ControllerPermission.UPDATE_PERMISSION_GROUPS
    DELETE_PERMISSION_GROUPS = ControllerPermission.DELETE_PERMISSION_GROUPS
    CREATE_API_KEY = ControllerPermission.CREATE_API_KEY
    GET_API_KEY = ControllerPermission.GET_API_KEY
    UPDATE_API_KEY = ControllerPermission.UPDATE_API_KEY
    DELETE_API_KEY = ControllerPermission.DELETE_API_KEY
    MAC_ADDRESS = ControllerPermission.MAC_ADDRESS


PERMISSION_PATHS = ("/admin/api/v1/permission", "/admin/v1/api/permission")
"""The documentation of the old API has the first in its headings, the second in its samples."""

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
    **{
        f"{method} {prefix}/{path}": right
        for prefix in PERMISSION_PATHS
        for method, path, right in (
            ("GET", "resources/permissions", Right.VIEW_PERMISSIONS),
            ("GET", "permissions", Right.VIEW_PERMISSIONS),
            ("GET", "group", Right.VIEW_PERMISSION_GROUPS),
            ("DELETE", "group/{name:path}", Right.DELETE_PERMISSION_GROUPS),
            ("POST", "group/{name:path}/permissions", Right.UPDATE_PERMISSION_GROUPS),
            ("GET", "group/{name:path}/resources", Right.VIEW_PERMISSION_GROUPS),
            ("POST", "group/{name:path}/resources", Right.UPDATE_PERMISSION_GROUPS),
        )
    },
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
    "GET /portal": Right.NONE,
    "GET /portal/static/{version}/{path:path}": Right.NONE,
    "GET /portal/v1/stream": Right.LOGIN,
    "GET /portal/v1/session": Right.LOGIN,
    "GET /portal/v1/login": Right.NONE,
    "POST /portal/v1/login": Right.NONE,
    "POST /portal/v1/logout": Right.NONE,
    "GET /pkg/{file}": Right.NONE,
    # Beside these, what the endpoint asks for: to list nodes, or the kind that the request is about.
    "GET /portal/v1/explain": Right.LIST_VMS,
    "GET /portal/v1/object": Right.LOGIN,
    "GET /portal/v1/history": Right.LIST_VMS,
    "GET /portal/v1/timeline": Right.LIST_VMS,
    "GET /portal/v1/nodes/history": Right.LIST_NODES,
    "GET /portal/v1/events": Right.VIEW_LOGS,
    "POST /portal/v1/join": Right.CHANGE_NODE_CONFIG,
    "GET /livez": Right.NONE,
    "GET /readyz": Right.NONE,
    "GET /metrics": Right.NONE,
    "GET /peer/reached": Right.PEER,
    "POST /peer/used": Right.PEER,
    "GET /openapi.json": Right.LOGIN,
    "GET /docs": Right.LOGIN,
    "GET /docs/swagger-ui-bundle.js": Right.LOGIN,
    "GET /docs/swagger-ui.css": Right.LOGIN,
    "GET /docs/favicon-32x32.png": Right.LOGIN,
}
"""By method and path of the route, as it is declared. HEAD needs what GET needs."""
