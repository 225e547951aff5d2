"""One worker for each instance of this node; changes in the API and on the Mac wake them."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from anka_agent.instances.observer import state_of
from anka_agent.instances.orphans import Orphans
from anka_agent.instances.worker import InstanceWorker
from anka_agent.mac.inventory import Inventory
from anka_agent.node.view import NodeView
from anka_crds.api import AnkaInstance, SaveImage
from anka_kube.resource import Key, key_of
from anka_kube.store import Store

ORPHAN_SECONDS = 3.0
ChangeType = Literal["ADDED", "MODIFIED", "DELETED"]


@dataclass(eq=False)
class InstanceController:
    """Keeps one worker per instance in the store. The callbacks do no work: they only wake workers."""

    _instances: Store[AnkaInstance]
    _saves: Store[SaveImage]
    _inventory: Inventory
    _node: NodeView
    _orphans: Orphans
    _create_worker: Callable[[Key, str], InstanceWorker]
    _workers: dict[str, InstanceWorker] = field(default_factory=dict, init=False)
    _stopping: set[asyncio.Task[None]] = field(default_factory=set, init=False)
    _host_ip: str | None = field(default=None, init=False)

    async def run(self) -> None:
        """Work until cancelled; then all workers have ended. The Mac must have been listed before."""
        self._host_ip = self._node.host_ip
        unsubscribe = self._instances.subscribe(self._on_instance)
        unsubscribe_saves = self._saves.subscribe(self._on_save)
        self._inventory.subscribe(self._on_listing)
        for instance in self._instances:
            self._on_instance("ADDED", None, instance)
        try:
            while True:
                await asyncio.sleep(ORPHAN_SECONDS)
                await self._orphans.check()
        finally:
            unsubscribe()
            unsubscribe_saves()
            await asyncio.gather(*(worker.stop() for worker in self._workers.values()), *self._stopping)
            self._workers.clear()

    def find_worker(self, uid: str) -> InstanceWorker | None:
        return self._workers.get(uid)

    def dead_workers(self) -> list[str]:
        """Workers that ended by themselves, which none of them should."""
        return [f"{worker.key[0]}/{worker.key[1]}" for worker in self._workers.values() if not worker.alive]

    def _on_instance(self, kind: ChangeType, old: AnkaInstance | None, new: AnkaInstance | None) -> None:
        if new is None:
            if old is not None and (worker := self._workers.pop(old.metadata.uid, None)) is not None:
                task = asyncio.get_running_loop().create_task(worker.stop())
                self._stopping.add(task)
                task.add_done_callback(self._stopping.discard)
            return
        uid = new.metadata.uid
        worker = self._workers.get(uid)
        if worker is None:
            worker = self._workers[uid] = self._create_worker(key_of(new), uid)
            worker.start()
        worker.wake()

    def _on_save(self, kind: ChangeType, old: SaveImage | None, new: SaveImage | None) -> None:
        """Wake the worker of the instance that is to be saved."""
        save = new or old
        if save is None:
            return
        instance = self._instances.get(save.spec.instance, save.metadata.namespace)
        if instance is not None and (worker := self._workers.get(instance.metadata.uid)) is not None:
            worker.wake_for_save(ended=new is None or new.status.phase != "Pending")

    def _on_listing(self) -> None:
        """Wake the workers whose VM has changed since they had nothing left to do; all if the Mac's address has."""
        has_moved, self._host_ip = self._node.host_ip != self._host_ip, self._node.host_ip
        for uid, worker in self._workers.items():
            if self._instances.by_uid(uid) is None:
                continue
            if has_moved or worker.settled != state_of(self._inventory.find(uid)):
                worker.wake()
