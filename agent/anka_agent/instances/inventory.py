"""The VMs and templates of this Mac, as last seen: one `anka list` for the whole host, however many instances."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from dataclasses import replace

from prometheus_client import Gauge

from anka_agent.anka.errors import AnkaError, NotFoundError
from anka_agent.anka.operations import Operations
from anka_agent.anka.vm import Vm
from anka_crds.core.naming import names_instance

log = logging.getLogger(__name__)

VMS = Gauge("anka_agent_vms", "VMs of instances on this Mac", ["status"])

Listener = Callable[[], None]


class Inventory:
    """A snapshot, refreshed by polling and on demand; a worker's own steps are entered at once.

    Only this agent makes VMs with its prefix, so between two looks it knows what is there.
    """

    def __init__(self, anka: Operations, prefix: str) -> None:
        self.prefix = prefix
        self.looked = asyncio.Event()
        """Set once the Mac has been looked at."""
        self.claims: dict[str, str] = {}
        """VMs of ours whose names may not show it, by UUID, with the tokens of their instances: while one is pushed as
        a new template, it has that template's name."""
        self.trouble: str | None = "not looked yet"
        """Why the last look failed; None when it did not."""
        self._anka = anka
        self._vms: dict[str, Vm] = {}
        self._listeners: list[Listener] = []
        self._looking: asyncio.Task[None] | None = None
        self._changes = 0

    def subscribe(self, listener: Listener) -> None:
        """Call after each look."""
        self._listeners.append(listener)

    # Reading

    def own(self) -> list[Vm]:
        """VMs with our prefix, and those we claim."""
        return [vm for vm in self._vms.values() if self._is_own(vm)]

    def templates(self) -> list[Vm]:
        """Everything else: what instances are cloned from, and people's own VMs."""
        return [vm for vm in self._vms.values() if not self._is_own(vm)]

    def _is_own(self, vm: Vm) -> bool:
        return vm.name.startswith(self.prefix) or vm.uuid in self.claims

    def of(self, token: str) -> Vm | None:
        """The VM of the instance with this token; a running one if there should be several."""
        found = [
            vm for vm in self.own() if names_instance(vm.name, self.prefix, token) or self.claims.get(vm.uuid) == token
        ]
        return min(found, key=lambda vm: (not vm.running, vm.name), default=None)

    # Looking

    async def look(self) -> None:
        """A look that begins now or later; callers share it. Raises AnkaError."""
        if self._looking is not None:
            # One that began before us may miss what we want to see.
            await asyncio.wait([self._looking])
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look(), name="anka list")
        await asyncio.shield(self._looking)

    async def _look(self) -> None:
        changes = self._changes
        try:
            seen = {vm.uuid: vm for vm in await self._anka.vms()}
        except AnkaError as error:
            self.trouble = str(error)
            raise
        if changes != self._changes:
            # A step of ours ended while anka was listing: the list may be from before it.
            seen = {vm.uuid: vm for vm in await self._anka.vms()}
        self._vms = {uuid: self._merged(vm) for uuid, vm in seen.items()}
        self.trouble = None
        self.looked.set()
        own = self.own()
        VMS.labels("running").set(sum(vm.running for vm in own))
        VMS.labels("other").set(sum(not vm.running for vm in own))
        for listener in self._listeners:
            listener()

    def _merged(self, seen: Vm) -> Vm:
        """A row of `list` says less than `show` did: keep the details while nothing else changed."""
        known = self._vms.get(seen.uuid)
        if known is None or not known.detailed or (known.name, known.status) != (seen.name, seen.status):
            return seen
        return known

    async def detail(self, vm: Vm) -> Vm | None:
        """Everything about this VM, as it is now; None when it is gone. Raises AnkaError."""
        try:
            seen = await self._anka.show(vm.uuid)
        except NotFoundError:
            self.removed(vm.uuid)
            return None
        self._vms[seen.uuid] = seen
        return seen

    async def poll(self, busy: float, idle: float) -> None:
        """Look for ever, every `busy` seconds while there are VMs of ours, every `idle` seconds else."""
        while True:
            try:
                await self.look()
            except AnkaError as error:
                log.warning("the VMs of this Mac cannot be listed: %s; trying again", error)
            await asyncio.sleep(busy if self.own() else idle)

    # Our own steps

    def removed(self, uuid: str) -> None:
        self._changes += 1
        self._vms.pop(uuid, None)
        # A template that is pulled later can have this UUID.
        self.claims.pop(uuid, None)

    def by_uuid(self, uuid: str) -> Vm | None:
        return self._vms.get(uuid)

    def renamed(self, uuid: str, name: str) -> None:
        self._changes += 1
        if (vm := self._vms.get(uuid)) is not None:
            self._vms[uuid] = replace(vm, name=name)

    def forget_details(self, uuid: str, status: str | None = None) -> None:
        """The VM is being changed, or was (to this status): what `show` said is old."""
        self._changes += 1
        if (vm := self._vms.get(uuid)) is not None:
            self._vms[uuid] = Vm(uuid=vm.uuid, name=vm.name, status=status or vm.status, version=vm.version)


def unclaimed(vms: Iterable[Vm], prefix: str, tokens: Iterable[str]) -> list[Vm]:
    """VMs with our prefix that no instance with one of these tokens has a claim on, and second VMs of one. Pure."""
    rest = {vm.uuid: vm for vm in vms if vm.name.startswith(prefix)}
    for token in tokens:
        own = [vm for vm in rest.values() if names_instance(vm.name, prefix, token)]
        if own:
            del rest[min(own, key=lambda vm: (not vm.running, vm.name)).uuid]
    return list(rest.values())
