"""VMs on this Mac that belong to no instance: removed, once that is certain."""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from anka_agent import metrics
from anka_agent.anka.cli import AnkaCli
from anka_agent.anka.errors import AnkaError
from anka_agent.anka.vm import Vm
from anka_agent.jobs.journal import Journal
from anka_agent.mac.inventory import Inventory
from anka_crds.api import AnkaInstance
from anka_kube.cached_client import CachedClient
from anka_kube.errors import ApiError

log = logging.getLogger(__name__)


@dataclass(eq=False)
class Orphans:
    """A VM is removed when `is_fresh` holds for the store, two checks in a row found no claim, and the API itself knows
    of none: a cache that lags must never cost a VM. `selector`: field selector of this node's instances."""

    _instances: CachedClient[AnkaInstance]
    _anka: AnkaCli
    _inventory: Inventory
    _journal: Journal
    _selector: str
    _is_fresh: Callable[[], bool]
    _suspects: set[str] = field(default_factory=set, init=False)

    async def check(self) -> None:
        """Raises nothing: what cannot be removed now is found again."""
        if not self._is_fresh() or not self._inventory.observed.is_set():
            self._suspects.clear()
            return
        instances = list(self._instances.store)
        stale = set(self._journal.uids()) - {instance.metadata.uid for instance in instances}
        suspects = {vm.uuid for vm in self._find_unclaimed(instances)} | stale
        certain, self._suspects = suspects & self._suspects, suspects
        if not certain:
            return
        try:
            await self._remove(certain)
        except (ApiError, AnkaError) as error:
            log.warning("leftovers not removed: %s; trying again", error)

    def _find_unclaimed(self, instances: Iterable[AnkaInstance]) -> list[Vm]:
        """VMs with our prefix that belong to none of these instances: by the journal, or, before the instance's worker
        has looked, by the name that it recorded or the UUID in the status."""
        uids, names, reported = set(), set(), set()
        for instance in instances:
            uid, vm = instance.metadata.uid, instance.status.vm
            uids.add(uid)
            record = self._journal.find_vm(uid)
            if record is not None and record.uuid is None:
                names.add(record.name)
            elif record is None and vm is not None:
                reported.add(vm.uuid)
        owners = self._inventory.owners
        return [
            vm
            for vm in self._inventory.own()
            if vm.name.startswith(self._inventory.prefix)
            and (owners[vm.uuid] not in uids if vm.uuid in owners else vm.name not in names and vm.uuid not in reported)
        ]

    async def _remove(self, certain: set[str]) -> None:
        instances = [*await self._instances.list(self._selector), *self._instances.store]
        for vm in self._find_unclaimed(instances):
            if vm.uuid in certain:
                await self._remove_vm(vm)
        alive = {instance.metadata.uid for instance in instances}
        for uid in certain - alive:
            # A VM that was being pushed as a new template has that template's name.
            if (renamed := self._inventory.find(uid)) is not None:
                await self._remove_vm(renamed)
        for uid in self._journal.sweep(alive):
            log.info("the record of a deleted instance is removed", extra={"uid": uid})

    async def _remove_vm(self, vm: Vm) -> None:
        log.warning("removing a VM that no instance has a claim on", extra={"vm": vm.name, "vm_uuid": vm.uuid})
        if vm.running:
            await self._anka.stop(vm.uuid)
        await self._anka.delete(vm.uuid)
        self._inventory.record_removal(vm.uuid)
        metrics.ORPHANS_REMOVED.inc()
