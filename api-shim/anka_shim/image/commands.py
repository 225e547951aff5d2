"""What REST does about images: one write for each request."""

import uuid

from anka_crds.api import SaveImage
from anka_crds.api.permissions import TemplatePermission
from anka_crds.api.states import Phase
from anka_shim.access.resource_rights import ResourceRights
from anka_shim.catalog import find_template
from anka_shim.failure import NOT_FOUND, Failure
from anka_shim.image.request import (
    SAVEABLE,
    SaveVm,
    check_complete,
    find_repeated,
    not_saveable,
    save_manifest,
    save_spec,
)
from anka_shim.store.caches import Stores
from anka_shim.store.object_writer import ObjectWriter
from anka_shim.store.registry_reader import RegistryReader
from anka_shim.vm.answer import state
from anka_shim.vm.views import InstanceViews


class SaveCommands:
    """Every method raises Failure."""

    def __init__(
        self,
        stores: Stores,
        views: InstanceViews,
        saves: ObjectWriter[SaveImage],
        registry: RegistryReader,
        rights: ResourceRights,
        push_registry: str | None = None,
    ) -> None:
        """`push_registry`: URL of the registry that images are pushed to, if not the one that VMs come from."""
        self._stores = stores
        self._views = views
        self._saves = saves
        self._registry = registry
        self._rights = rights
        self._push_registry = push_registry

    async def save(self, id_: str, request: SaveVm) -> str:
        """The request's id. When this returns, reads see what was written."""
        check_complete(request)
        instance = self._rights.instance(id_)
        if instance is None:
            raise Failure(not_saveable(Phase.TERMINATED) if self._views.tombstone(id_) else NOT_FOUND)
        target = None
        if request.target_vm_id is not None:
            word = request.target_vm_id
            found = await self._registry.resolve(
                lambda catalog: find_template(word, self._rights.catalog(catalog), "target_vm_id"), self._stores
            )
            target = found.metadata.name
            reverts = (TemplatePermission.DELETE_REVERT,) if request.revert_before_push else ()
            self._rights.require_template(target, TemplatePermission.SAVE_IMAGE, *reverts)
        spec = save_spec(request, instance.metadata.name, target, registry=self._push_registry)
        pending = {self._stores.id_of(save): save for save in self._stores.pending_saves_of(instance)}
        if (known := find_repeated(spec, pending)) is not None:
            return known
        if state(instance) is not SAVEABLE:
            raise Failure(not_saveable(state(instance)))
        manifest = save_manifest(str(uuid.uuid4()), instance, id_, spec)
        return self._stores.id_of(await self._saves.create(manifest, action="save the VM"))
