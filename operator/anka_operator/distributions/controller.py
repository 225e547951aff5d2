"""Starts TemplateDistributions and follows them to their end. Agents do the work and report it in their AnkaNodes."""

import math
from collections import Counter
from collections.abc import Mapping
from typing import get_args

from anka_crds.api import AnkaNode, NodeGroup, TemplateDistribution
from anka_crds.api.conditions import InstanceReason
from anka_crds.api.distribution import DistributionPhase
from anka_crds.rules.distribution import find_closed, is_finished, select_targets
from anka_crds.rules.references import NameCatalog, is_renaming
from anka_crds.rules.resource_permissions import ResourcePermissions, list_permissions
from anka_kube.store import EventType
from anka_operator import metrics
from anka_operator.cluster.access import AnkaCluster
from anka_operator.control_loop import ObjectLoop
from anka_operator.distributions import desired
from anka_operator.registry_view.view import RegistryView
from anka_operator.status_patch import StatusPatch
from anka_runtime.clock import Clock
from anka_scheduler.catalog import TemplateCatalog
from anka_scheduler.reasons import WaitReason, no_such_group, no_such_permission_group

PROGRESS_SECONDS = 2.0
"""Progress of one request is written at most this often; its end, at once."""
NOTHING = ResourcePermissions(())
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
        enforces_permissions: bool = False,
    ) -> None:
        """`enforces_permissions`: a request gets only the Macs that its permission group may use."""
        super().__init__("distributions", cluster.stores.distributions, clock, window=0.05, tick=30.0)
        self._cluster = cluster
        self._view = view
        self._lost_seconds = lost_seconds
        self._registry_url = registry_url
        self._enforces_permissions = enforces_permissions
        self._permissions: Mapping[str, ResourcePermissions] = {}
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
        if self._enforces_permissions:
            self._permissions = list_permissions(self._cluster.stores.permission_groups)
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

    def _refuse(self, distribution: TemplateDistribution) -> tuple[StatusPatch | None] | None:
        """The patch for a request of which nobody can say which Macs it is about, or which names one that is closed to
        it; None for any other."""
        spec, now = distribution.spec, self.clock.now()
        owner = self._find_owner(distribution)
        if spec.group is not None and not self._groups.resolve(spec.group):
            return (desired.refusal_status(distribution, no_such_group(spec.group, self._groups), now=now),)
        if owner is None:
            return None
        permissions = self._permissions.get(owner)
        if permissions is None:
            return (desired.refusal_status(distribution, no_such_permission_group(owner), now=now),)
        closed = find_closed(spec, self._cluster.stores.nodes, permissions)
        named = sorted(closed & self._nodes.to_ids(spec.nodes))
        return (desired.closed_status(distribution, named[0], owner, now=now),) if named else None

    def _find_owner(self, distribution: TemplateDistribution) -> str | None:
        """The permission group that it is made for; None where none counts."""
        return distribution.spec.permission_group if self._enforces_permissions else None

    def _retarget(self, distribution: TemplateDistribution) -> StatusPatch | None:
        if refusal := self._refuse(distribution):
            return refusal[0]
        names = self._select(distribution)
        return desired.retarget_status(distribution, names, now=self.clock.now())

    async def _start(self, distribution: TemplateDistribution) -> StatusPatch | None:
        stores, now = self._cluster.stores, self.clock.now()
        if refusal := self._refuse(distribution):
            return refusal[0]
        await self._view.confirm(distribution.spec.template)
        template = desired.resolve_template(distribution, TemplateCatalog(self._view.templates()), stores.nodes)
        if isinstance(template, WaitReason):
            if template.reason == InstanceReason.TEMPLATE_NOT_READY:
                return desired.wait_status(distribution, template, now=now)
            return desired.refusal_status(distribution, template, now=now)
        names = self._select(distribution)
        return desired.start_status(distribution, template, names, registry=self._registry_url, now=now)

    def _select(self, distribution: TemplateDistribution) -> list[str]:
        owner = self._find_owner(distribution)
        permissions = None if owner is None else self._permissions.get(owner, NOTHING)
        return select_targets(distribution.spec, self._cluster.stores.nodes, self._groups, permissions)

    async def _advance(self, distribution: TemplateDistribution) -> float:
        waits = distribution.status.next_node is not None
        if waits and (refusal := self._refuse(distribution)):
            # Who waits for a turn is no longer known: to leave these Macs out without a word would be wrong.
            await self._write(distribution, refusal[0])
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
