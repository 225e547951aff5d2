"""Takes TemplateDistributions up and follows them to their end. Agents do the work and report it in their AnkaNodes."""

from __future__ import annotations

import math
from collections import Counter
from typing import get_args

from anka_crds.api import AnkaNode, AnkaTemplate, TemplateDistribution
from anka_crds.api.distribution import DistributionPhase
from anka_crds.core.distribution import is_finished, targets
from anka_crds.kube.store import EventType
from anka_crds.process.clock import Clock
from anka_operator import metrics
from anka_operator.cluster import Cluster
from anka_operator.controllers.loop import Controller, all_of
from anka_operator.controllers.serial import Serial
from anka_operator.reconcile import distribution as reconcile
from anka_operator.reconcile.patch import Status
from anka_operator.scheduler.catalog import Catalog
from anka_operator.scheduler.reasons import Unscheduled

PROGRESS_SECONDS = 2.0
"""Progress of one request is written at most this often; its end at once."""
MACS_PER_SECOND = 20
"""Beyond 40 Macs it is written less often: every write goes to the agent of every Mac, with all entries."""


class Distributions(Controller):
    """`lost_seconds`: how long a Mac may be Offline before a request no longer waits for it."""

    def __init__(self, cluster: Cluster, clock: Clock, *, lost_seconds: float, registry_url: str | None = None) -> None:
        super().__init__("distributions", clock, window=0.05, tick=30.0)
        self._cluster = cluster
        self._lost_seconds = lost_seconds
        self._registry_url = registry_url
        self._serial = Serial(cluster.stores.distributions)
        self._written: dict[str, float] = {}
        cluster.stores.distributions.subscribe(self._distribution)
        cluster.stores.nodes.subscribe(self._node)
        cluster.stores.templates.subscribe(self._template)

    async def run_once(self) -> float | None:
        distributions = self._cluster.stores.distributions.list()
        due: list[float] = []

        async def one(distribution: TemplateDistribution) -> None:
            due.append(await self._settle(distribution))

        try:
            await all_of(one(distribution) for distribution in distributions)
        finally:
            phases = Counter(one.status.phase for one in self._cluster.stores.distributions)
            for phase in get_args(DistributionPhase):
                metrics.DISTRIBUTIONS.labels(phase).set(phases[phase])
        return min(due, default=math.inf)

    async def judge(self, distribution: TemplateDistribution) -> None:
        """Make the status of one request true. Raises ApiError."""
        if math.isfinite(await self._settle(distribution)):
            self.wake()

    async def _settle(self, distribution: TemplateDistribution) -> float:
        """The same; returns the seconds until there is something to do for it."""
        async with self._serial.turn(distribution) as distribution:
            if distribution.metadata.deletion_timestamp is not None:
                return math.inf
            if reconcile.aims_elsewhere(distribution):
                await self._write(distribution, self._aimed_anew(distribution), guarded=True)
                return math.inf
            if is_finished(distribution.status):
                return await self._after_the_end(distribution)
            if distribution.spec.cancelled:
                await self._write(distribution, reconcile.cancelled(distribution, now=self.clock.now()))
                return 0.0
            if distribution.status.phase == "Pending":
                await self._write(distribution, self._taken_up(distribution), guarded=True)
                return math.inf
            return await self._follow(distribution)

    def _no_group(self, distribution: TemplateDistribution) -> Unscheduled | None:
        group = distribution.spec.group
        if group is None or self._cluster.stores.groups.get(group) is not None:
            return None
        return Unscheduled("GroupNotFound", f"There is no NodeGroup {group}")

    def _aimed_anew(self, distribution: TemplateDistribution) -> Status | None:
        if why := self._no_group(distribution):
            return reconcile.refused(distribution, why, now=self.clock.now())
        names = targets(distribution.spec, self._cluster.stores.nodes)
        return reconcile.aimed_anew(distribution, names, now=self.clock.now())

    def _taken_up(self, distribution: TemplateDistribution) -> Status | None:
        stores, now = self._cluster.stores, self.clock.now()
        if why := self._no_group(distribution):
            return reconcile.refused(distribution, why, now=now)
        template = reconcile.meant(distribution, Catalog(stores.templates), stores.nodes)
        if isinstance(template, Unscheduled):
            if template.reason == "TemplateNotReady":
                return reconcile.waits(distribution, template, now=now)
            return reconcile.refused(distribution, template, now=now)
        names = targets(distribution.spec, stores.nodes)
        return reconcile.taken_up(distribution, template, names, registry=self._registry_url, now=now)

    async def _follow(self, distribution: TemplateDistribution) -> float:
        nodes = {
            name: node
            for name in (entry.node_name for entry in distribution.status.nodes)
            if (node := self._cluster.stores.nodes.get(name)) is not None
        }
        patch, wait = reconcile.progressed(distribution, nodes, lost_seconds=self._lost_seconds, now=self.clock.now())
        uid, now = distribution.metadata.uid, self.clock.monotonic()
        if patch is not None and "phase" not in patch:
            interval = max(PROGRESS_SECONDS, len(distribution.status.nodes) / MACS_PER_SECOND)
            left = self._written.get(uid, -math.inf) + interval - now
            if left > 0:
                return min(left, wait)
        if patch is not None:
            self._written[uid] = now
            await self._write(distribution, patch)
        return wait

    async def _after_the_end(self, distribution: TemplateDistribution) -> float:
        left = reconcile.expires_in(distribution, self.clock.now())
        if left > 0:
            await self._write(distribution, reconcile.seen(distribution))
            return left
        await self._cluster.write.distributions.delete(distribution)
        return math.inf

    async def _write(self, distribution: TemplateDistribution, patch: Status | None, *, guarded: bool = False) -> None:
        if patch is not None:
            await self._cluster.write.distributions.patch_status(distribution, patch, guarded=guarded)

    def _distribution(self, _: EventType, old: TemplateDistribution | None, new: TemplateDistribution | None) -> None:
        if new is None and old is not None:
            self._written.pop(old.metadata.uid, None)
        self.wake()

    def _node(self, _: EventType, old: AnkaNode | None, new: AnkaNode | None) -> None:
        if old is None or new is None or _matters(old) != _matters(new):
            self.wake()

    def _template(self, _: EventType, __: AnkaTemplate | None, ___: AnkaTemplate | None) -> None:
        if any(one.status.phase == "Pending" for one in self._cluster.stores.distributions):
            self.wake()


def _matters(node: AnkaNode) -> object:
    return node.status.distributions, node.status.state
