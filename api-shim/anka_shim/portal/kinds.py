"""The kinds of rows that a stream can have, and the right to list each. Pure."""

from collections.abc import Mapping

from anka_shim.http.rights import Right

KIND_RIGHTS: Mapping[str, Right] = {
    "cloud": Right.LOGIN,
    "nodes": Right.LIST_NODES,
    "instances": Right.LIST_VMS,
    "templates": Right.REGISTRY_LIST,
    "groups": Right.GET_GROUPS,
    "distributions": Right.REGISTRY_DISTRIBUTE_STATUS,
    "saves": Right.LIST_IMAGES,
    "apiKeys": Right.GET_API_KEY,
    "permissionGroups": Right.VIEW_PERMISSION_GROUPS,
    "macPools": Right.MAC_ADDRESS,
}
"""In the order in which a page needs them."""
