"""The VM of an instance as it is: from the inventory where that is certain, from `anka` where it is not."""

import asyncio
import logging

from anka_agent.anka.vm import Vm
from anka_agent.jobs.journal import Journal
from anka_agent.mac.inventory import Inventory
from anka_crds.api import AnkaInstance

log = logging.getLogger(__name__)


class VmObserver:
    """For one instance."""

    def __init__(self, inventory: Inventory, journal: Journal) -> None:
        self.last: Vm | None = None
        """The last VM with details: it may be deleted before it is ever reported."""
        self._inventory = inventory
        self._journal = journal
        self._stale = False

    def mark_stale(self) -> None:
        """A command was cut off: its effect is unknown until the Mac is listed again."""
        self._stale = True

    async def observe(self, instance: AnkaInstance) -> Vm | None:
        """Raises AnkaError."""
        inventory = self._inventory
        if not inventory.observed.is_set():
            await inventory.observe()
        if self._stale:
            await inventory.observe()
            self._stale = False
        vm = inventory.find(instance.metadata.uid) or await self._adopt(instance)
        if vm is not None and not vm.detailed and instance.metadata.deletion_timestamp is None:
            vm = await inventory.detail(vm)
        if vm is not None and vm.detailed:
            self.last = vm
        return vm

    async def _adopt(self, instance: AnkaInstance) -> Vm | None:
        """The VM that an agent cloned before it was killed, found by the name that it had recorded. Without a record (a
        lost state directory) by the UUID in the status, which only agents write. Never a guess between several, and
        never a VM that is another instance's."""
        uid = instance.metadata.uid
        record, known = self._journal.find_vm(uid), instance.status.vm
        if record is not None:
            found = [vm for vm in self._inventory.unowned() if record.uuid is None and vm.name == record.name]
        else:
            found = [vm for vm in self._inventory.unowned() if known is not None and vm.uuid == known.uuid]
        if len(found) != 1:
            return None
        (vm,) = found
        try:
            await asyncio.to_thread(self._journal.record_vm, uid, vm.name, vm.uuid)
        except OSError as error:
            log.warning("the VM of an instance is not recorded: %s", error, extra={"vm": vm.name})
        return vm


VmState = tuple[str, str, str | None]


def state_of(vm: Vm | None) -> VmState | None:
    """What can change by itself and require a step: UUID, status, and address."""
    return None if vm is None else (vm.uuid, vm.status, vm.ip)
