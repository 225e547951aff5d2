"""VMs on this Mac that no instance has a claim on: removed, once that is certain."""

from __future__ import annotations

import logging
from collections.abc import Callable

from prometheus_client import Counter

from anka_agent.anka.errors import AnkaError
from anka_agent.anka.vm import Vm
from anka_agent.instances.context import Context, token_of
from anka_agent.instances.inventory import unclaimed
from anka_crds.api import AnkaInstance
from anka_crds.kube.errors import ApiError

log = logging.getLogger(__name__)

REMOVED = Counter("anka_agent_orphans_removed_total", "VMs removed because no instance had a claim on them")


class Orphans:
    """A VM is removed when the watch is connected, two checks in a row found no claim, and the API itself, asked again,
    knows of none: a cache that lags must never cost a VM."""

    def __init__(self, context: Context, selector: str, fresh: Callable[[], bool]) -> None:
        self._context = context
        self._selector = selector
        self._fresh = fresh
        self._suspects: set[str] = set()

    async def check(self) -> None:
        """Raises nothing: what cannot be removed now is found again."""
        if not self._fresh() or not self._context.inventory.looked.is_set():
            self._suspects.clear()
            return
        found = self._unclaimed(list(self._context.store))
        stale = set(self._context.journal.uids()) - {instance.metadata.uid for instance in self._context.store}
        now = {vm.uuid for vm in found} | stale
        certain, self._suspects = now & self._suspects, now
        if not certain:
            return
        try:
            await self._remove(certain)
        except (ApiError, AnkaError) as error:
            log.warning("leftovers not removed: %s; trying again", error)

    def _unclaimed(self, instances: list[AnkaInstance]) -> list[Vm]:
        inventory = self._context.inventory
        tokens = [token_of(instance) for instance in instances]
        return unclaimed(inventory.own(), inventory.prefix, tokens)

    async def _remove(self, certain: set[str]) -> None:
        listed = await self._context.client.list(self._context.store.resource, field_selector=self._selector)
        for vm in self._unclaimed([*listed.items, *self._context.store]):
            if vm.uuid in certain:
                await self._remove_vm(vm)
        alive = {instance.metadata.uid for instance in [*listed.items, *self._context.store]}
        for uid in certain - alive:
            # One that was being pushed as a new template has that template's name.
            claimed = self._context.inventory.by_uuid(self._context.journal.claimed_by(uid) or "")
            if claimed is not None:
                await self._remove_vm(claimed)
        for uid in self._context.journal.sweep(alive):
            log.info("forgot what was kept of an instance that is gone", extra={"uid": uid})

    async def _remove_vm(self, vm: Vm) -> None:
        log.warning("removing a VM that no instance has a claim on", extra={"vm": vm.name, "vm_uuid": vm.uuid})
        if vm.running:
            await self._context.anka.stop(vm.uuid)
        await self._context.anka.delete(vm.uuid)
        self._context.inventory.removed(vm.uuid)
        REMOVED.inc()
