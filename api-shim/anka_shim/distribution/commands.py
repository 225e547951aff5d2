"""What REST does to template distributions: request one, cancel it, request a removal."""

import uuid
from collections.abc import Sequence

from anka_crds.api import TemplateDistribution
from anka_crds.api.limits import MAX_TARGETS
from anka_crds.api.permissions import NodePermission
from anka_crds.rules.distribution import is_finished
from anka_shim.access.resource_rights import ResourceRights
from anka_shim.catalog import target_template
from anka_shim.distribution.request import (
    DistributeTemplate,
    distribution_manifest,
    holds,
    read_distribution,
    read_removal,
)
from anka_shim.failure import NOT_FOUND, Failure, forbidden
from anka_shim.store.caches import Stores
from anka_shim.store.object_writer import ObjectWriter
from anka_shim.store.registry_reader import RegistryReader


class DistributionCommands:
    """Every method raises Failure."""

    def __init__(
        self,
        stores: Stores,
        distributions: ObjectWriter[TemplateDistribution],
        registry: RegistryReader,
        rights: ResourceRights,
    ) -> None:
        self._stores = stores
        self._distributions = distributions
        self._registry = registry
        self._rights = rights

    async def distribute(self, request: DistributeTemplate) -> str:
        """The id of the request."""
        rights = self._rights
        owner = rights.require_owner(request.group, request.group_id)
        spec = await self._registry.resolve(
            lambda catalog: read_distribution(request, rights.catalog(catalog)), self._stores
        )
        rights.require_for(owner, spec.template, NodePermission.DISTRIBUTE, spec.nodes)
        manifest = distribution_manifest(str(uuid.uuid4()), spec)
        made = await self._distributions.create(manifest, action="distribute the template")
        return made.metadata.name

    async def cancel(self, id_: str) -> None:
        """One that has finished or is already cancelled stays as it is."""
        action = "cancel the distribution"
        found = await self._distributions.find(id_, action=action)
        if found.spec.action != "Pull" or not self._rights.owns(found.spec.permission_group):
            raise Failure(NOT_FOUND)
        if not found.spec.cancelled and not is_finished(found.status):
            await self._distributions.merge(id_, {"cancelled": True}, action=action)

    async def remove(self, template: str, node_ids: Sequence[str]) -> list[str]:
        """The nodes from which it is removed."""
        catalog, permits = self._rights.catalog(), self._rights.permits_node
        template = target_template(template, catalog)
        if not self._rights.sees_template(template):
            raise Failure(NOT_FOUND)
        nodes = list(self._rights.nodes())
        mine = [node for node in nodes if permits(node.metadata.name, NodePermission.DELETE_TEMPLATE)]
        spec = read_removal(template, node_ids, catalog, mine)
        if spec is None:
            if any(holds(node, template) for node in nodes):
                raise forbidden()
            return []
        self._rights.require_nodes(NodePermission.DELETE_TEMPLATE, spec.nodes)
        if not spec.nodes and len(mine) < len(self._stores.nodes):
            raise Failure(f"node_ids: name at most {MAX_TARGETS} nodes: more than that hold the template")
        manifest = distribution_manifest(str(uuid.uuid4()), spec)
        await self._distributions.create(manifest, action="remove the template from nodes")
        return spec.nodes or [node.metadata.name for node in self._stores.nodes if holds(node, template)]
