"""Writes counts and conditions of every NodeGroup."""

import math

from anka_crds.api import AnkaNode, NodeGroup
from anka_crds.rules.references import NameCatalog, is_renaming
from anka_kube.store import EventType
from anka_operator.cluster.access import AnkaCluster
from anka_operator.cluster.stores import BY_GROUP
from anka_operator.control_loop import ObjectLoop
from anka_operator.groups.desired import compute_status
from anka_runtime.clock import Clock
from anka_scheduler.groups import list_fallbacks


class GroupController(ObjectLoop[NodeGroup]):
    def __init__(self, cluster: AnkaCluster, clock: Clock) -> None:
        super().__init__("groups", cluster.stores.groups, clock, window=0.25, tick=60.0)
        self._cluster = cluster
        self._names = NameCatalog()
        self.follow(cluster.stores.groups, self._on_group)
        self.follow(cluster.stores.nodes, self._on_node)

    async def run_once(self) -> float | None:
        self._names = NameCatalog(self._cluster.stores.groups)
        return await super().run_once()

    async def reconcile(self, obj: NodeGroup) -> float:
        stores, names = self._cluster.stores, self._names
        fallbacks = list_fallbacks(stores.groups, names)
        words = {word for word in (obj.metadata.name, obj.spec.display_name) if word}
        words = {word for word in words if names.resolve(word) == obj.metadata.name}
        nodes = {node.metadata.name: node for word in words for node in stores.nodes.by_index(BY_GROUP, word)}.values()
        patch = compute_status(obj, nodes, fallbacks, self.clock.now())
        if patch is not None:
            await self._cluster.write.groups.patch_status(obj, patch, guarded=False)
        return math.inf

    def _on_group(self, _: EventType, old: NodeGroup | None, new: NodeGroup | None) -> None:
        """The fallback of one group can end or close the chains of others; its name, be that of others."""
        if is_renaming(old, new) or _fallback(old) != _fallback(new):
            self.wake()

    def _on_node(self, _: EventType, old: AnkaNode | None, new: AnkaNode | None) -> None:
        before, after = _membership(old), _membership(new)
        if before != after:
            names = NameCatalog(self._cluster.stores.groups)
            for group in names.to_ids((*before[0], *after[0])):
                self.enqueue(("", group))


def _fallback(group: NodeGroup | None) -> str | None:
    return None if group is None else group.spec.fallback_group


def _membership(node: AnkaNode | None) -> tuple[list[str], object]:
    return ([], None) if node is None else (node.spec.groups, node.status.state)
