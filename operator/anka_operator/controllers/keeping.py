"""Tells every Mac which tags the rules of templates want on it, so that no agent has to watch all templates."""

from __future__ import annotations

from anka_crds.api import AnkaNode, AnkaTemplate
from anka_crds.kube.store import EventType
from anka_crds.process.clock import Clock
from anka_operator.cluster import Cluster
from anka_operator.controllers.loop import Controller, all_of
from anka_operator.controllers.serial import Serial
from anka_operator.reconcile.keeping import judged


class Keeping(Controller):
    def __init__(self, cluster: Cluster, clock: Clock, *, registry_url: str | None = None) -> None:
        super().__init__("keeping", clock, window=0.25, tick=60.0)
        self._cluster = cluster
        self._registry_url = registry_url
        self._serial = Serial(cluster.stores.nodes)
        cluster.stores.templates.subscribe(self._template)
        cluster.stores.nodes.subscribe(self._node)

    async def run_once(self) -> float | None:
        ruled = [template for template in self._cluster.stores.templates if template.spec.distribution]
        await all_of(self._judge(node, ruled) for node in self._cluster.stores.nodes.list())
        return None

    async def _judge(self, node: AnkaNode, templates: list[AnkaTemplate]) -> None:
        async with self._serial.turn(node) as node:
            patch = judged(node, templates, self._registry_url)
            if patch is not None:
                await self._cluster.write.nodes.patch_status(node, patch, guarded=False)

    def _template(self, _: EventType, old: AnkaTemplate | None, new: AnkaTemplate | None) -> None:
        if any(one is not None and one.spec.distribution for one in (old, new)):
            self.wake()

    def _node(self, _: EventType, old: AnkaNode | None, new: AnkaNode | None) -> None:
        if new is not None and (old is None or _matters(old) != _matters(new)):
            self.wake()


def _matters(node: AnkaNode) -> object:
    return node.spec.groups, node.status.kept_templates
