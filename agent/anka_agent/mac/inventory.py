"""The VMs and templates of this Mac as last listed: one `anka list` for all instances."""

import asyncio
import logging
import math
from collections.abc import Callable, Mapping
from dataclasses import replace

from anka_agent import metrics
from anka_agent.anka.cli import AnkaCli
from anka_agent.anka.errors import AnkaError, NotFoundError
from anka_agent.anka.vm import Vm

log = logging.getLogger(__name__)


CLOSE_LOOK_SECONDS = 45.0
"""Time between two looks at what `list` does not show: addresses change within a minute for those who use them."""

Listener = Callable[[], None]


class Inventory:
    """A snapshot, refreshed by polling and on demand; the steps of this agent are recorded at once.

    Only this agent makes VMs with its prefix, so between two listings it knows what is there.
    """

    def __init__(self, anka: AnkaCli, prefix: str, owners: Mapping[str, str] | None = None) -> None:
        """`owners`: the journal's instances, by the UUIDs of their VMs."""
        self.prefix = prefix
        self.owners: Mapping[str, str] = owners if owners is not None else {}
        self.observed = asyncio.Event()
        """Set once the Mac has been listed."""
        self.problem: str | None = "not looked yet"
        """Why the last listing failed; None if it succeeded."""
        self._anka = anka
        self._vms: dict[str, Vm] = {}
        self._listeners: list[Listener] = []
        self._listing: asyncio.Task[None] | None = None
        self._changes = 0

    def subscribe(self, listener: Listener) -> None:
        """Call after each listing."""
        self._listeners.append(listener)

    # Reading

    def own(self) -> list[Vm]:
        """VMs with our prefix, and those of our instances under any name: a VM that is pushed as a new template has
        the template's name meanwhile."""
        return [vm for vm in self._vms.values() if self._is_own(vm)]

    def templates(self) -> list[Vm]:
        """Everything else: what instances are cloned from, and VMs made by hand."""
        return [vm for vm in self._vms.values() if not self._is_own(vm)]

    def _is_own(self, vm: Vm) -> bool:
        return vm.name.startswith(self.prefix) or vm.uuid in self.owners

    def find(self, uid: str) -> Vm | None:
        """The VM of the instance with this uid, if the journal knows it by its UUID."""
        return next((vm for vm in self._vms.values() if self.owners.get(vm.uuid) == uid), None)

    def unowned(self) -> list[Vm]:
        """VMs with our prefix that are no instance's, as far as the journal knows."""
        return [vm for vm in self._vms.values() if vm.name.startswith(self.prefix) and vm.uuid not in self.owners]

    # Observing

    async def observe(self) -> None:
        """List the VMs, beginning now or later; callers share it. Raises AnkaError."""
        if self._listing is not None:
            # A listing that began before this call may miss what the caller wants to see.
            await asyncio.wait([self._listing])
        if self._listing is None or self._listing.done():
            self._listing = asyncio.create_task(self._observe(), name="anka list")
        await asyncio.shield(self._listing)

    async def _observe(self) -> None:
        changes = self._changes
        try:
            listing = await self._anka.vms()
        except AnkaError as error:
            self.problem = str(error)
            raise
        if changes != self._changes:
            # A step ended while anka listed: the list may be older than the step.
            listing = await self._anka.vms()
        doubtful = {uuid: vm for uuid, vm in self._vms.items() if listing.may_have(vm)}
        seen = doubtful | {vm.uuid: vm for vm in listing.vms}
        self._vms = {uuid: self._merge(vm) for uuid, vm in seen.items()}
        self.problem = None
        self.observed.set()
        own = self.own()
        metrics.VMS.labels("running").set(sum(vm.running for vm in own))
        metrics.VMS.labels("other").set(sum(not vm.running for vm in own))
        for listener in self._listeners:
            listener()

    def _merge(self, seen: Vm) -> Vm:
        """A row of `list` has less than `show`: keep the details while nothing else changes."""
        known = self._vms.get(seen.uuid)
        if known is None or not known.detailed or (known.name, known.status) != (seen.name, seen.status):
            return seen
        return known

    async def detail(self, vm: Vm) -> Vm | None:
        """Everything about this VM as it is now; None if it no longer exists. Raises AnkaError."""
        try:
            seen = await self._anka.show(vm.uuid)
        except NotFoundError:
            self.record_removal(vm.uuid)
            return None
        self._vms[seen.uuid] = seen
        return seen

    async def look_closely(self) -> None:
        """Read again what `list` does not show of our VMs that run, such as their addresses. Raises AnkaError."""
        for vm in [vm for vm in self.own() if vm.running and vm.detailed]:
            changes = self._changes
            try:
                seen = await self._anka.show(vm.uuid)
            except NotFoundError:
                continue  # the next listing has it no more
            # During a step it may be older than the step.
            if changes == self._changes and seen.uuid in self._vms:
                self._vms[seen.uuid] = seen

    async def poll(self, busy: float, idle: float) -> None:
        """Observe for ever, every `busy` seconds while there are VMs of ours, otherwise every `idle` seconds."""
        clock, looked_at = asyncio.get_running_loop().time, -math.inf
        while True:
            try:
                if clock() - looked_at >= CLOSE_LOOK_SECONDS:
                    looked_at = clock()
                    await self.look_closely()
                await self.observe()
            except AnkaError as error:
                log.warning("the VMs of this Mac cannot be listed: %s; trying again", error)
            await asyncio.sleep(busy if self.own() else idle)

    # Steps of this agent

    def record_removal(self, uuid: str) -> None:
        self._changes += 1
        self._vms.pop(uuid, None)

    def by_uuid(self, uuid: str) -> Vm | None:
        return self._vms.get(uuid)

    def record_rename(self, uuid: str, name: str) -> None:
        self._changes += 1
        if (vm := self._vms.get(uuid)) is not None:
            self._vms[uuid] = replace(vm, name=name)

    def forget_details(self, uuid: str, status: str | None = None) -> None:
        """The VM is being changed, or was changed to this status: the last `show` is out of date."""
        self._changes += 1
        if (vm := self._vms.get(uuid)) is not None:
            self._vms[uuid] = Vm(uuid=vm.uuid, name=vm.name, status=status or vm.status, version=vm.version)
