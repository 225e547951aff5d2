"""What a principal may do by permission groups (docs/reference/legacy-api.md#permissions)."""

from anka_shim.http.authentication import Principal
from anka_shim.http.rights import Right
from anka_shim.store.caches import Stores, Watches, require_caches


class GroupRights:
    """Rights of who is in permission groups: all that any of them permits. Looked up at each use, so that a change
    counts at the next request."""

    def __init__(self, stores: Stores, watches: Watches) -> None:
        self._stores = stores
        self._watches = watches

    def allows(self, principal: Principal, right: Right) -> bool:
        """Raises Failure while the caches are read: clients do not repeat what was refused."""
        require_caches(self._watches)
        # Never by the name of who asks: an API key counts its id as a group (handshake.py), others choose their name
        # themselves, or their authority does.
        groups = (self._stores.permission_group(name) for name in principal.groups)
        return any(right.value in group.spec.controller_permissions for group in groups if group is not None)
