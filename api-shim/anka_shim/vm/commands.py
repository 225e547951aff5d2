"""What REST does to instances: start, update, restart, terminate."""

from typing import Any

from anka_crds.api import AnkaInstance
from anka_crds.api.instance import AnkaInstanceSpec
from anka_crds.api.permissions import NodePermission
from anka_crds.api.states import Phase
from anka_crds.rules.naming import is_uuid
from anka_runtime.clock import Clock
from anka_shim import metrics
from anka_shim.access.resource_rights import ResourceRights
from anka_shim.failure import NOT_FOUND, Failure, refuse, require_found
from anka_shim.http.request import spec_values
from anka_shim.settings import ShimSettings
from anka_shim.store.caches import BY_SLOT, Stores
from anka_shim.store.object_writer import ObjectWriter
from anka_shim.store.registry_reader import RegistryReader
from anka_shim.store.storage_budget import OBJECT_BYTES, StorageBudget
from anka_shim.vm.answer import state
from anka_shim.vm.idempotency_key import start_key
from anka_shim.vm.queue_budget import QueueBudget
from anka_shim.vm.request import RestartOptions, StartVm, UpdateVm, not_restartable, read_start, resolve, restart_patch
from anka_shim.vm.stored_script import measure_request
from anka_shim.vm.views import InstanceViews
from anka_shim.vm.writer import InstanceWriter


class InstanceCommands:
    """Every method raises Failure. When a call returns, reads see what was written."""

    def __init__(
        self,
        stores: Stores,
        views: InstanceViews,
        writer: InstanceWriter,
        instances: ObjectWriter[AnkaInstance],
        registry: RegistryReader,
        budget: StorageBudget,
        queue: QueueBudget,
        clock: Clock,
        settings: ShimSettings,
        rights: ResourceRights,
    ) -> None:
        self._stores = stores
        self._views = views
        self._writer = writer
        self._instances = instances
        self._registry = registry
        self._budget = budget
        self._queue = queue
        self._clock = clock
        self._settings = settings
        self._rights = rights

    async def start(self, request: StartVm, idempotency_key: str | None, client: str) -> list[str]:
        """Ids of the instances: `count` of them, or Failure. `client`: whose they are while they wait."""
        start = read_start(request, max_count=self._settings.max_count)
        limits = {
            "ttl_seconds_after_finished": self._settings.finished_seconds or None,
            "max_lifetime_seconds": self._settings.lifetime_seconds or None,
        }
        owner = self._rights.require_owner(start.spec.permission_group, start.group)
        resolved = await self._registry.resolve(
            lambda catalog: resolve(start, self._rights.catalog(catalog)), self._stores
        )
        nodes = () if resolved.node is None else (resolved.node,)
        self._rights.require_for(owner, resolved.template, NodePermission.CREATE_INSTANCE, nodes)
        spec = resolved.model_copy(update=limits)
        namespace = owner.spec.namespace if owner is not None else None
        key = start_key(
            idempotency_key,
            start,
            namespace=namespace or self._settings.namespace,
            external_id_seconds=self._settings.dedupe_external_id_seconds,
        )
        count = start.count
        size = measure_request(spec, count, inline_bytes=self._settings.inline_script_bytes)
        if size > self._settings.max_body_bytes:
            metrics.BUDGET_REFUSALS.labels("request").inc()
            raise Failure(
                f"count: {count} such instances are {size} bytes, and one request may store "
                f"{self._settings.max_body_bytes}: ask for fewer at a time, or give each less"
            )
        if key is not None and self._stores.instances.by_index(BY_SLOT, key.slot(0)):
            # A repeat: its instances are counted already.
            return await self._writer.create(spec, count, key, namespace=namespace)
        self._check_address(spec, count)
        with self._budget.reserve(size + count * OBJECT_BYTES), self._queue.reserve(count, client) as ids:
            ids += await self._writer.create(spec, count, key, namespace=namespace)
            return ids

    def _check_address(self, spec: AnkaInstanceSpec, count: int) -> None:
        """Of two requests at the same moment both may pass: the operator then ends one of the instances."""
        address = spec.network.mac_address if spec.network is not None else None
        if address is None or not self._stores.manages_addresses:
            return
        if count > 1:
            raise refuse("count", "must be 1 with a mac_address, which only one instance can have", count)
        holder = self._stores.address_holder(address)
        if holder is not None:
            which = self._stores.id_of(holder) if self._rights.owns(holder.spec.permission_group) else "of others"
            raise refuse("mac_address", f"is used by instance {which}", address)

    async def update(self, id_: str, request: UpdateVm) -> None:
        instance = require_found(self._rights.instance(id_))
        await self._merge(instance, spec_values(request), "update the VM")

    async def restart(self, id_: str, options: RestartOptions) -> None:
        instance, tombstone = self._rights.instance(id_), self._views.tombstone(id_)
        if instance is None:
            raise Failure(not_restartable(Phase.TERMINATED) if tombstone else NOT_FOUND)
        patch = restart_patch(state(instance), self._clock.now(), options)
        await self._merge(instance, patch, "restart the VM")

    def external_id(self, id_: str) -> str | None:
        """What CI calls this instance, if it is known and has such an id."""
        instance = self._stores.instance(id_)
        return None if instance is None else instance.spec.external_id

    async def terminate(self, id_: str) -> None:
        """Succeeds also for an instance that is already terminating, or ended less than a minute ago."""
        action = "terminate the VM"
        instance = self._rights.instance(id_)
        if instance is not None:
            if instance.metadata.deletion_timestamp is None:
                await self._instances.remove(instance, action=action)
        elif self._views.tombstone(id_) is None:
            stranger = not is_uuid(id_) or self._stores.instances.passes_over((self._settings.namespace, id_))
            # Of one that no cache has, nobody knows whose it is.
            if stranger or self._rights.member() is not None:
                raise Failure(NOT_FOUND)
            await self._instances.remove_uncached(id_, self._settings.namespace, action=action)

    async def _merge(self, obj: AnkaInstance, spec: dict[str, Any], action: str) -> None:
        await self._instances.merge(obj.metadata.name, spec, action=action, namespace=obj.metadata.namespace)
