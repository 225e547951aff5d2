"""What REST does about images: one write for each request."""

from __future__ import annotations

import uuid
from collections.abc import Callable

from anka_crds.api import AnkaInstance
from anka_crds.kube.client import KubeClient
from anka_crds.kube.errors import ApiError
from anka_crds.kube.kinds import SAVES
from anka_shim.cloud.caches import Stores
from anka_shim.cloud.slots import WriteSlots
from anka_shim.cloud.told import told
from anka_shim.translate import image
from anka_shim.translate.failure import Failure
from anka_shim.translate.image import ImageRequest
from anka_shim.translate.instance import state
from anka_shim.translate.resolve import template_of


class SaveCommands:
    """Every method raises Failure."""

    def __init__(
        self,
        client: KubeClient,
        stores: Stores,
        slots: WriteSlots,
        *,
        new_id: Callable[[], str] = lambda: str(uuid.uuid4()),
    ) -> None:
        self._client = client
        self._stores = stores
        self._slots = slots
        self._new_id = new_id

    async def save(self, instance: AnkaInstance, request: ImageRequest) -> str:
        """The request's id. What was written can be read when this returns."""
        target = None
        if request.target is not None:
            target = template_of(request.target, self._stores, "target_vm_id").metadata.name
        wanted = image.spec(request, instance.metadata.name, target)
        if (known := image.repeated(wanted, self._stores.pending_saves_of(instance))) is not None:
            return known
        if state(instance) is not image.SAVEABLE:
            raise Failure(image.not_saveable(state(instance)))
        id_, namespace = self._new_id(), instance.metadata.namespace or ""
        try:
            async with self._slots.take(self._slots.deadline()) as seconds:
                made = await self._client.create(
                    SAVES, image.manifest(id_, instance, wanted), namespace, deadline=seconds
                )
        except ApiError as error:
            raise Failure(told(error, "save the VM")) from error
        self._stores.saves.apply_written(made)
        return id_
