"""What REST does to permission groups."""

import logging
from collections.abc import Callable, Sequence
from typing import Any

from anka_crds.api import PermissionGroup
from anka_crds.api.permission_group import PermittedResource
from anka_crds.api.permissions import ControllerPermission
from anka_kube.errors import AlreadyExists
from anka_shim.failure import Failure
from anka_shim.permission.request import object_name, permission_group_manifest, with_resources
from anka_shim.store.caches import Stores
from anka_shim.store.object_writer import ObjectWriter

log = logging.getLogger(__name__)

SAVE = "save the permission group"


class PermissionCommands:
    """Every method raises Failure."""

    def __init__(self, stores: Stores, groups: ObjectWriter[PermissionGroup]) -> None:
        self._stores = stores
        self._groups = groups

    async def set_permissions(self, name: str, permissions: Sequence[ControllerPermission]) -> None:
        """Those that the group has from now on. Makes it if there is none."""
        await self._save(name, lambda _: {"controllerPermissions": list(permissions)})

    async def set_resources(self, name: str, resources: Sequence[PermittedResource]) -> None:
        """The same for nodes and templates."""

        def change(present: Sequence[PermittedResource]) -> dict[str, Any]:
            return {"resources": [one.to_api() for one in with_resources(present, resources)]}

        await self._save(name, change)

    async def delete(self, name: str) -> None:
        """All that have this name: else the next one would take the place of the first."""
        action = "delete the permission group"
        found = self._stores.permission_groups_named(name) or [
            # Another replica may have made it just now.
            await self._groups.find(object_name(name), action=action)
        ]
        for group in found:
            await self._groups.remove(group, action=action)
        log.info("permission group deleted", extra={"permission_group": name})

    async def _save(self, name: str, change: Callable[[Sequence[PermittedResource]], dict[str, Any]]) -> None:
        found = self._stores.permission_group(name)
        if found is None:
            try:
                await self._groups.create(permission_group_manifest(name, change(())), action=SAVE)
            except Failure as failure:
                if not isinstance(failure.__cause__, AlreadyExists):
                    raise
                found = await self._groups.find(object_name(name), action=SAVE)
        if found is not None and not await self._groups.rewrite(
            found.metadata.name, lambda group: {"spec": change(group.spec.resources)}, action=SAVE
        ):
            raise Failure(f"cannot {SAVE}: it was deleted at the same moment, try again")
        log.info("permission group saved", extra={"permission_group": name})
