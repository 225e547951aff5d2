"""One worker for each instance of this node; events and looks at the Mac wake them."""

from __future__ import annotations

import asyncio
import logging
from typing import Literal

from anka_agent.instances.context import Context, token_of
from anka_agent.instances.orphans import Orphans
from anka_agent.instances.worker import Worker, state_of
from anka_crds.api import AnkaInstance, SaveImage
from anka_crds.kube.resource import key_of

log = logging.getLogger(__name__)

ORPHAN_SECONDS = 3.0


class Controller:
    """Keeps the workers equal to the store. No work is done in the callbacks: they only wake."""

    def __init__(self, context: Context, orphans: Orphans) -> None:
        self._context = context
        self._orphans = orphans
        self._workers: dict[str, Worker] = {}
        self._stopping: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Work until cancelled; then all workers have ended. The Mac must have been looked at before."""
        unsubscribe = self._context.store.subscribe(self._on_event)
        unsubscribe_saves = self._context.saves.subscribe(self._on_save)
        self._context.inventory.subscribe(self._on_look)
        for instance in self._context.store:
            self._on_event("ADDED", None, instance)
        try:
            while True:
                await asyncio.sleep(ORPHAN_SECONDS)
                await self._orphans.check()
        finally:
            unsubscribe()
            unsubscribe_saves()
            await asyncio.gather(*(worker.stop() for worker in self._workers.values()), *self._stopping)
            self._workers.clear()

    def dead_workers(self) -> list[str]:
        """Workers that ended by themselves, which none should."""
        return [f"{worker.key[0]}/{worker.key[1]}" for worker in self._workers.values() if not worker.alive]

    def _on_event(
        self, kind: Literal["ADDED", "MODIFIED", "DELETED"], old: AnkaInstance | None, new: AnkaInstance | None
    ) -> None:
        if new is None:
            if old is not None and (worker := self._workers.pop(old.metadata.uid, None)) is not None:
                task = asyncio.get_running_loop().create_task(worker.stop())
                self._stopping.add(task)
                task.add_done_callback(self._stopping.discard)
            return
        uid = new.metadata.uid
        worker = self._workers.get(uid)
        if worker is None:
            worker = self._workers[uid] = Worker(self._context, key_of(new), uid)
            worker.start()
        worker.wake()

    def _on_save(
        self, kind: Literal["ADDED", "MODIFIED", "DELETED"], old: SaveImage | None, new: SaveImage | None
    ) -> None:
        """Wake the worker of the instance that is to be saved."""
        save = new or old
        if save is None:
            return
        instance = self._context.store.get(save.spec.instance, save.metadata.namespace)
        if instance is not None and (worker := self._workers.get(instance.metadata.uid)) is not None:
            worker.wake_for_save(ended=new is None or new.status.phase != "Pending")

    def _on_look(self) -> None:
        """Wake the workers whose VM is not what it was when they had nothing left to do."""
        for uid, worker in self._workers.items():
            instance = self._context.store.by_uid(uid)
            if instance is not None and worker.settled != state_of(self._context.inventory.of(token_of(instance))):
                worker.wake()
