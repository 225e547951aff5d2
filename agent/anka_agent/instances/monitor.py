"""Asks the VMs of this Mac in turn whether they still answer, where `--enable-vm-monitor` is on."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass

from anka_agent.anka.cli import AnkaCli
from anka_agent.anka.errors import AnkaError, CommandTimeout
from anka_agent.instances.worker import InstanceWorker
from anka_agent.mac.inventory import Inventory
from anka_agent.plan.responsiveness import fail_stuck, is_used, must_answer
from anka_crds.api import AnkaInstance
from anka_kube.store import Store
from anka_runtime.clock import Clock, Sleep

log = logging.getLogger(__name__)

AT_A_TIME = 4
"""VMs that are asked at once."""


@dataclass(eq=False)
class VmMonitor:
    """`delay`: seconds between two rounds, and from the start of a VM to its first. `timeout`: seconds that a VM has
    to answer."""

    _instances: Store[AnkaInstance]
    _anka: AnkaCli
    _inventory: Inventory
    _find_worker: Callable[[str], InstanceWorker | None]
    _clock: Clock
    _: KW_ONLY
    delay: float
    timeout: float
    sleep: Sleep = asyncio.sleep

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self.sleep(self.delay)
            await self.check_all()

    async def check_all(self) -> None:
        """One round. What cannot be found out is not judged."""
        slots = asyncio.Semaphore(AT_A_TIME)

        async def check(instance: AnkaInstance) -> None:
            async with slots:
                try:
                    await self._check(instance)
                except AnkaError as error:
                    # A VM that has ended, or an anka that fails: the listings of the Mac tell of both.
                    log.debug("whether a VM answers is not known: %s", error)

        await asyncio.gather(*(check(instance) for instance in list(self._instances)))

    async def _check(self, instance: AnkaInstance) -> None:
        """Raises AnkaError."""
        uid = instance.metadata.uid
        worker, vm = self._find_worker(uid), self._inventory.find(uid)
        if worker is None or worker.is_busy or vm is None or not vm.running or not self._is_used(uid):
            return
        steps = worker.steps
        # As it is now: a VM that was restarted meanwhile has just begun. Not for the inventory, which may know more by
        # then: a step of the worker does not wait for us.
        seen = await self._anka.show(vm.uuid)
        current = self._instances.by_uid(uid)
        if current is None or not must_answer(current, seen, self._clock.now(), self.delay):
            return
        try:
            await self._anka.probe(seen.uuid, seconds=self.timeout)
        except CommandTimeout:
            if worker.steps != steps or worker.is_busy or not self._is_used(uid):
                # It was stopped, restarted or saved meanwhile: then it need not answer.
                return
            log.warning("the VM answers no more", extra={"vm": seen.name})
            worker.fail(fail_stuck(self.timeout))

    def _is_used(self, uid: str) -> bool:
        instance = self._instances.by_uid(uid)
        return instance is not None and is_used(instance)
