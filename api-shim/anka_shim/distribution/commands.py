"""What REST does to template distributions: request one, cancel it, request a removal."""

import uuid
from collections.abc import Sequence

from anka_crds.api import TemplateDistribution
from anka_crds.rules.distribution import is_finished
from anka_shim.catalog import target_template
from anka_shim.distribution.request import (
    DistributeTemplate,
    distribution_manifest,
    holds,
    read_distribution,
    read_removal,
)
from anka_shim.failure import NOT_FOUND, Failure
from anka_shim.store.caches import Stores
from anka_shim.store.object_writer import ObjectWriter
from anka_shim.store.registry_reader import RegistryReader


class DistributionCommands:
    """Every method raises Failure."""

    def __init__(
        self, stores: Stores, distributions: ObjectWriter[TemplateDistribution], registry: RegistryReader
    ) -> None:
        self._stores = stores
        self._distributions = distributions
        self._registry = registry

    async def distribute(self, request: DistributeTemplate) -> str:
        """The id of the request."""
        spec = await self._registry.resolve(lambda catalog: read_distribution(request, catalog), self._stores)
        manifest = distribution_manifest(str(uuid.uuid4()), spec)
        made = await self._distributions.create(manifest, action="distribute the template")
        return made.metadata.name

    async def cancel(self, id_: str) -> None:
        """One that has finished or is already cancelled stays as it is."""
        action = "cancel the distribution"
        found = await self._distributions.find(id_, action=action)
        if found.spec.action != "Pull":
            raise Failure(NOT_FOUND)
        if not found.spec.cancelled and not is_finished(found.status):
            await self._distributions.merge(id_, {"cancelled": True}, action=action)

    async def remove(self, template: str, node_ids: Sequence[str]) -> list[str]:
        """The nodes from which it is removed."""
        template = target_template(template, self._stores)
        spec = read_removal(template, node_ids, self._stores, self._stores.nodes)
        if spec is None:
            return []
        manifest = distribution_manifest(str(uuid.uuid4()), spec)
        await self._distributions.create(manifest, action="remove the template from nodes")
        return spec.nodes or [node.metadata.name for node in self._stores.nodes if holds(node, template)]
