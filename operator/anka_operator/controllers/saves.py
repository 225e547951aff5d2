"""Requests to save instances: given to a Mac, ended when nobody else can, and their instances deleted when they are
done."""

from __future__ import annotations

import math
from datetime import datetime

from anka_crds.api import AnkaInstance, AnkaNode, SaveImage
from anka_crds.kube.errors import NotFound
from anka_crds.kube.kinds import INSTANCES
from anka_crds.kube.store import EventType
from anka_crds.process.clock import Clock
from anka_operator.cluster import INSTANCE, Cluster
from anka_operator.controllers.loop import Controller, all_of
from anka_operator.controllers.serial import Serial
from anka_operator.reconcile.instance import lost_words
from anka_operator.reconcile.node import offline_since
from anka_operator.reconcile.save_image import Action, Verdict, expires_in, failed, judged, shows, taken_up, waiting


class Saves(Controller):
    """`lost_seconds`: how long a node must be Offline before what it saves is given up."""

    def __init__(
        self, cluster: Cluster, clock: Clock, *, lost_seconds: float = 300.0, registry_url: str | None = None
    ) -> None:
        super().__init__("saves", clock, window=0.01, tick=30.0)
        self._cluster = cluster
        self._lost_seconds = lost_seconds
        self._registry_url = registry_url
        self._serial = Serial(cluster.stores.saves)
        stores = cluster.stores
        stores.saves.subscribe(lambda *_: self.wake())
        stores.instances.subscribe(self._instance)
        stores.nodes.subscribe(self._node)

    async def run_once(self) -> float | None:
        saves = [save for save in self._cluster.stores.saves if save.metadata.deletion_timestamp is None]
        await all_of(self.judge(save) for save in saves)
        now = self.clock.now()
        return min(
            (self._silence(save)[1] if save.status.phase == "Pending" else _due(save, now) for save in saves),
            default=math.inf,
        )

    async def judge(self, save: SaveImage) -> None:
        """Do what is to be done about one request. Raises ApiError."""
        async with self._serial.turn(save) as save:
            instance = self._cluster.stores.instances.get(save.spec.instance, save.metadata.namespace)
            verdict = judged(save, instance, self._silence(save)[0])
            if verdict.missing:
                instance = await self._fresh(save)
                verdict = judged(save, instance, None)
            await self._act(verdict, save, instance)

    async def _act(self, verdict: Verdict, save: SaveImage, instance: AnkaInstance | None) -> None:
        write, now = self._cluster.write, self.clock.now()
        if verdict.action is Action.TAKE_UP and instance is not None:
            patch = taken_up(save, instance, registry=self._registry_url, now=now)
            await write.saves.patch_status(save, patch, guarded=True)
        elif verdict.action is Action.WAIT and not shows(save, verdict):
            await write.saves.patch_status(save, waiting(save, verdict, now=now), guarded=True)
        elif verdict.action is Action.FAIL:
            await write.saves.patch_status(save, failed(save, verdict, now=now), guarded=True)
        elif verdict.action is Action.DELETE_INSTANCE and instance is not None:
            await write.instances.delete(instance)
        elif verdict.action is Action.NOTHING and expires_in(save, now) == 0.0:
            await write.saves.delete(save)

    async def _fresh(self, save: SaveImage) -> AnkaInstance | None:
        """The instance as the API has it: one that was made a moment ago may not be in the cache yet."""
        try:
            return await self._cluster.client.get(INSTANCES, save.spec.instance, save.metadata.namespace)
        except NotFound:
            return None

    def _silence(self, save: SaveImage) -> tuple[str | None, float]:
        """What happened to its node if it is lost or gone, in words; else the seconds until it counts as lost."""
        name = save.status.node_name
        if name is None:
            return None, math.inf
        node = self._cluster.stores.nodes.get(name)
        if node is None:
            return lost_words(name, None), math.inf
        since = offline_since(node)
        if since is None:
            return None, math.inf
        silence = (self.clock.now() - since).total_seconds()
        if silence < self._lost_seconds:
            return None, self._lost_seconds - silence
        return lost_words(name, silence), math.inf

    def _instance(self, _: EventType, old: AnkaInstance | None, new: AnkaInstance | None) -> None:
        instance = new or old
        if instance is not None:
            key = f"{instance.metadata.namespace}/{instance.metadata.name}"
            if self._cluster.stores.saves.by_index(INSTANCE, key):
                self.wake()

    def _node(self, _: EventType, old: AnkaNode | None, new: AnkaNode | None) -> None:
        if len(self._cluster.stores.saves) and (new is None or offline_since(new) is not None):
            self.wake()


def _due(save: SaveImage, now: datetime) -> float:
    """Seconds until it is to be deleted. One that should be already waits for its instance, or was deleted just now: it
    wakes us."""
    return expires_in(save, now) or math.inf
