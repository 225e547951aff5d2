"""Tells every Mac whether it has saves and distributions to watch, as soon as that changes."""

import math

from anka_crds.api import AnkaInstance, AnkaNode, SaveImage, TemplateDistribution
from anka_crds.rules.assignment import concerns_agent, list_unfinished
from anka_kube.store import EventType
from anka_operator.assigned_work.desired import compute_status
from anka_operator.cluster.access import AnkaCluster
from anka_operator.cluster.stores import BY_INSTANCE, BY_NODE
from anka_operator.control_loop import ObjectLoop
from anka_runtime.clock import Clock


class AssignedWorkController(ObjectLoop[AnkaNode]):
    """It is woken by each write of the other controllers, before the watch shows that: a save that is bound does not
    wait for it."""

    def __init__(self, cluster: AnkaCluster, clock: Clock) -> None:
        super().__init__("assigned work", cluster.stores.nodes, clock, window=0.02, tick=60.0)
        self._cluster = cluster
        self.follow(cluster.stores.saves, self._on_save)
        self.follow(cluster.stores.instances, self._on_instance)
        self.follow(cluster.stores.distributions, self._on_distribution)

    async def reconcile(self, obj: AnkaNode) -> float:
        stores, name = self._cluster.stores, obj.metadata.name

        def exists(uid: str) -> bool:
            return stores.instances.by_uid(uid) is not None

        patch = compute_status(
            obj,
            saves=any(concerns_agent(save, exists) for save in stores.saves.by_index(BY_NODE, name)),
            distributions=bool(stores.distributions.by_index(BY_NODE, name)),
        )
        if patch is not None:
            await self._cluster.write.nodes.patch_status(obj, patch, guarded=False)
        return math.inf

    def _on_save(self, _: EventType, old: SaveImage | None, new: SaveImage | None) -> None:
        self._enqueue_nodes({save.status.node_name for save in (old, new) if save is not None})

    def _on_instance(self, _: EventType, old: AnkaInstance | None, new: AnkaInstance | None) -> None:
        """Its saves need no watch any more."""
        if new is None and old is not None:
            key = f"{old.metadata.namespace}/{old.metadata.name}"
            saves = self._cluster.stores.saves.by_index(BY_INSTANCE, key)
            self._enqueue_nodes({save.status.node_name for save in saves})

    def _on_distribution(
        self, _: EventType, old: TemplateDistribution | None, new: TemplateDistribution | None
    ) -> None:
        self._enqueue_nodes(_name_macs(old) ^ _name_macs(new))

    def _enqueue_nodes(self, names: set[str | None]) -> None:
        for name in names:
            if name is not None:
                self.enqueue(("", name))


def _name_macs(distribution: TemplateDistribution | None) -> set[str | None]:
    return set() if distribution is None else {entry.node_name for entry in list_unfinished(distribution)}
