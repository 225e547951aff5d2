"""Starts TemplateDistributions and follows them to their end. Agents do the work and report it in their AnkaNodes."""

import math
from collections import Counter
from typing import get_args

from anka_crds.api import AnkaNode, NodeGroup, TemplateDistribution
from anka_crds.api.conditions import InstanceReason
from anka_crds.api.distribution import DistributionPhase
from anka_crds.rules.distribution import is_finished, select_targets
from anka_crds.rules.references import NameCatalog, is_renaming
from anka_kube.store import EventType
from anka_operator import metrics
from anka_operator.cluster.access import AnkaCluster
from anka_operator.control_loop import ObjectLoop
from anka_operator.distributions import desired
from anka_operator.registry_view.view import RegistryView
from anka_operator.status_patch import StatusPatch
from anka_runtime.clock import Clock
from anka_scheduler.catalog import TemplateCatalog
from anka_scheduler.reasons import WaitReason, no_such_group

PROGRESS_SECONDS = 2.0
"""Progress of one request is written at most this often; its end, at once."""
MACS_PER_SECOND = 20
"""With more than 40 Macs it is written less often: every write goes to the agent of every Mac, with all entries."""


class DistributionController(ObjectLoop[TemplateDistribution]):
    """`lost_seconds`: how long a Mac may be Offline before a request no longer waits for it."""

    def __init__(
        self,
        cluster: AnkaCluster,
        clock: Clock,
        view: RegistryView,
        *,
        lost_seconds: float,
        registry_url: str | None = None,
    ) -> None:
        super().__init__("distributions", cluster.stores.distributions, clock, window=0.05, tick=30.0)
        self._cluster = cluster
        self._view = view
        self._lost_seconds = lost_seconds
        self._registry_url = registry_url
        self._groups, self._nodes = NameCatalog(), NameCatalog()
        self._progress_at: dict[str, float] = {}
        """When progress was last written, by uid."""
        self.follow(cluster.stores.distributions, self._on_distribution)
        self.follow(cluster.stores.nodes, self._on_node)
        self.follow(cluster.stores.groups, self._on_group)
        self.follow(view, self._on_template)
        self.follow(cluster.stores.templates, self._on_template)

    async def run_once(self) -> float | None:
        self._groups, self._nodes = NameCatalog(self._cluster.stores.groups), NameCatalog(self._cluster.stores.nodes)
        try:
            return await super().run_once()
        finally:
            phases = Counter(one.status.phase for one in self._cluster.stores.distributions)
            for phase in get_args(DistributionPhase):
                metrics.DISTRIBUTIONS.labels(phase).set(phases[phase])

    async def reconcile(self, obj: TemplateDistribution) -> float:
        if obj.metadata.deletion_timestamp is not None:
            return math.inf
        if desired.has_new_targets(obj, self._nodes):
            await self._write(obj, self._retarget(obj), guarded=True)
        elif is_finished(obj.status):
            return await self._expire(obj)
        elif obj.spec.cancelled:
            await self._write(obj, desired.cancel_status(obj, now=self.clock.now()))
        elif obj.status.phase == "Pending":
            await self._write(obj, await self._start(obj), guarded=True)
        else:
            return await self._advance(obj)
        return math.inf

    def _missing_group(self, distribution: TemplateDistribution) -> WaitReason | None:
        group = distribution.spec.group
        return None if group is None or self._groups.resolve(group) else no_such_group(group, self._groups)

    def _retarget(self, distribution: TemplateDistribution) -> StatusPatch | None:
        if why := self._missing_group(distribution):
            return desired.refusal_status(distribution, why, now=self.clock.now())
        names = self._select(distribution)
        return desired.retarget_status(distribution, names, now=self.clock.now())

    async def _start(self, distribution: TemplateDistribution) -> StatusPatch | None:
        stores, now = self._cluster.stores, self.clock.now()
        if why := self._missing_group(distribution):
            return desired.refusal_status(distribution, why, now=now)
        await self._view.confirm(distribution.spec.template)
        template = desired.resolve_template(distribution, TemplateCatalog(self._view.templates()), stores.nodes)
        if isinstance(template, WaitReason):
            if template.reason == InstanceReason.TEMPLATE_NOT_READY:
                return desired.wait_status(distribution, template, now=now)
            return desired.refusal_status(distribution, template, now=now)
        names = self._select(distribution)
        return desired.start_status(distribution, template, names, registry=self._registry_url, now=now)

    def _select(self, distribution: TemplateDistribution) -> list[str]:
        return select_targets(distribution.spec, self._cluster.stores.nodes, self._groups)

    async def _advance(self, distribution: TemplateDistribution) -> float:
        waits = distribution.status.next_node is not None
        if waits and (why := self._missing_group(distribution)):
            # Who waits for a turn is no longer known: to leave these Macs out without a word would be wrong.
            await self._write(distribution, desired.refusal_status(distribution, why, now=self.clock.now()))
            return math.inf
        nodes = {
            name: node
            for name in (entry.node_name for entry in distribution.status.nodes)
            if (node := self._cluster.stores.nodes.get(name)) is not None
        }
        patch, wait = desired.progress_status(
            distribution,
            nodes,
            lost_seconds=self._lost_seconds,
            now=self.clock.now(),
            targets=self._select(distribution) if waits else (),
        )
        uid, now = distribution.metadata.uid, self.clock.monotonic()
        if patch is not None and "phase" not in patch:
            interval = max(PROGRESS_SECONDS, len(distribution.status.nodes) / MACS_PER_SECOND)
            left = self._progress_at.get(uid, -math.inf) + interval - now
            if left > 0:
                return min(left, wait)
        if patch is not None:
            self._progress_at[uid] = now
            await self._write(distribution, patch)
        return wait

    async def _expire(self, distribution: TemplateDistribution) -> float:
        """Delete it once its time to live is over."""
        left = desired.expires_in(distribution, self.clock.now())
        if left > 0:
            await self._write(distribution, desired.acknowledge(distribution))
            return left
        await self._cluster.write.distributions.delete(distribution)
        return math.inf

    async def _write(
        self, distribution: TemplateDistribution, patch: StatusPatch | None, *, guarded: bool = False
    ) -> None:
        if patch is not None:
            await self._cluster.write.distributions.patch_status(distribution, patch, guarded=guarded)

    def _on_distribution(
        self, _: EventType, old: TemplateDistribution | None, new: TemplateDistribution | None
    ) -> None:
        if new is None and old is not None:
            self._progress_at.pop(old.metadata.uid, None)

    def _on_node(self, _: EventType, old: AnkaNode | None, new: AnkaNode | None) -> None:
        if old is None or new is None or _progress_of(old) != _progress_of(new):
            self.wake()

    def _on_group(self, _: EventType, old: NodeGroup | None, new: NodeGroup | None) -> None:
        if is_renaming(old, new) and any(
            one.status.next_node is not None for one in self._cluster.stores.distributions
        ):
            self.wake()

    def _on_template(self, *_: object) -> None:
        if any(one.status.phase == "Pending" for one in self._cluster.stores.distributions):
            self.wake()


def _progress_of(node: AnkaNode) -> object:
    return node.status.distributions, node.status.state
