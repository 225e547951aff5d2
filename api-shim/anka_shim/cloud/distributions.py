"""What REST does to distributions of templates: ask for one, cancel it, ask for a removal."""

from __future__ import annotations

import uuid
from collections.abc import Callable

from anka_crds.api import TemplateDistribution
from anka_crds.api.distribution import TemplateDistributionSpec
from anka_crds.core.distribution import is_finished
from anka_shim.cloud.objects import Objects
from anka_shim.translate.distribution import manifest
from anka_shim.translate.failure import NOT_FOUND, Failure


class DistributionCommands:
    """Every method raises Failure."""

    def __init__(
        self,
        objects: Objects[TemplateDistribution],
        *,
        new_id: Callable[[], str] = lambda: str(uuid.uuid4()),
    ) -> None:
        self._objects = objects
        self._new_id = new_id

    async def create(self, spec: TemplateDistributionSpec, *, what: str) -> TemplateDistribution:
        return await self._objects.create(manifest(self._new_id(), spec), what=what)

    async def cancel(self, id_: str) -> None:
        """One that is over, or cancelled already, stays as it is."""
        what = "cancel the distribution"
        found = await self._objects.find(id_, what=what)
        if found.spec.action != "Pull":
            raise Failure(NOT_FOUND)
        if not found.spec.cancelled and not is_finished(found.status):
            await self._objects.merge(id_, {"spec": {"cancelled": True}}, what=what)
