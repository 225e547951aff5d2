"""Lets the agent of an instance's node read the Secrets that the instance names, and nobody else, and not for longer.

It works in namespaces whose administrators let the operator do so (charts/base/rbac-secrets.yaml); in others people
hand out the right themselves. Instances that name no Secret cost no call.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from anka_crds.api import AnkaInstance
from anka_crds.kube.errors import AlreadyExists, ApiError, Forbidden, NotFound
from anka_crds.kube.store import EventType
from anka_crds.kube.unstructured import ROLE_BINDINGS, ROLES, Meta, Unstructured
from anka_crds.process.clock import Clock
from anka_operator import metrics
from anka_operator.cluster import OUTSIDE, Cluster
from anka_operator.controllers.loop import Controller, all_of
from anka_operator.reconcile.grant import SELECTOR, Grant, grant_for, grant_of, names_secret

log = logging.getLogger(__name__)

LOOK_SECONDS = 60.0
"""How old our knowledge of a namespace's rights may be while somebody needs some there."""
REFUSED_SECONDS = 15.0
"""Until what the API refused is tried again: somebody may have allowed it meanwhile."""


@dataclass
class _Namespace:
    """Names of our Roles and RoleBindings there, as they were listed and written since."""

    looked_at: float
    roles: set[str] = field(default_factory=set)
    bindings: set[str] = field(default_factory=set)

    @property
    def whole(self) -> set[str]:
        return self.roles & self.bindings

    @property
    def all(self) -> set[str]:
        return self.roles | self.bindings


class Grants(Controller):
    """`node_namespace`: where the ServiceAccounts of the agents are."""

    def __init__(self, cluster: Cluster, clock: Clock, *, node_namespace: str) -> None:
        # No window: an agent may be about to ask.
        super().__init__("grants", clock, window=0.0, tick=LOOK_SECONDS)
        self._cluster = cluster
        self._node_namespace = node_namespace
        self._known: dict[str, _Namespace] = {}
        self._refused: dict[str, float] = {}
        """Until when not to try again: by namespace, and by name of a grant."""
        self._told: set[str] = set()
        self._ahead: dict[str, Grant] = {}
        """For binds that are under way, by name."""
        cluster.stores.instances.subscribe(self._instance)

    async def run_once(self) -> float | None:
        now = self.clock.monotonic()
        self._refused = {what: until for what, until in self._refused.items() if until > now}
        there = {one.metadata.namespace or "" for one in self._cluster.stores.instances.by_index(OUTSIDE, "yes")}
        for namespace in sorted(there | self._known.keys()):
            if namespace not in self._refused:
                await self._settle(namespace)
        metrics.SECRET_RIGHTS.set(sum(len(known.whole) for known in self._known.values()))
        return min((until - now for until in self._refused.values()), default=None)

    @asynccontextmanager
    async def ahead(self, instance: AnkaInstance, node: str) -> AsyncIterator[None]:
        """The bind is made in this block: the agent may ask as soon as it sees that, and shall not be refused then. A
        right that cannot be had now is no reason to wait: it is tried again, and the agent tells what is missing."""
        grant = grant_for(instance, node)
        if grant is None:
            yield
            return
        self._ahead[grant.name] = grant
        try:
            try:
                await self._give_ahead(grant)
            except ApiError as error:
                self.report(error)
            yield
        finally:
            # From here on the instance says whether it has that node.
            del self._ahead[grant.name]
            self.wake()

    async def _give_ahead(self, grant: Grant) -> None:
        if grant.namespace in self._refused or grant.name in self._refused:
            return
        known = self._known.get(grant.namespace) or await self._known_anew(grant.namespace)
        if known is not None and grant.name not in known.whole:
            await self._give(grant, known)

    def _wanted(self, namespace: str) -> dict[str, Grant]:
        found = [
            grant_of(one)
            for one in self._cluster.stores.instances.by_index(OUTSIDE, "yes")
            if (one.metadata.namespace or "") == namespace
        ]
        found += [grant for grant in self._ahead.values() if grant.namespace == namespace]
        return {grant.name: grant for grant in found if grant is not None}

    async def _settle(self, namespace: str) -> None:
        """What is there becomes what is wanted. Raises ApiError."""
        known = self._known.get(namespace)
        old = known is None or self.clock.monotonic() - known.looked_at >= LOOK_SECONDS
        if known is None or (old and (self._wanted(namespace) or known.all)):
            known = await self._known_anew(namespace)
            if known is None:
                return
        # Not before: a bind may have come while it was looked at.
        wanted = self._wanted(namespace)
        await all_of(
            [
                *(self._take(namespace, name, known) for name in sorted(known.all - wanted.keys())),
                *(
                    self._give(grant, known)
                    for name, grant in sorted(wanted.items())
                    if name not in known.whole and name not in self._refused
                ),
            ]
        )

    async def _known_anew(self, namespace: str) -> _Namespace | None:
        """As the API has it; None where it is not ours to look at. Raises ApiError."""
        try:
            known = self._known[namespace] = await self._look(namespace)
        except Forbidden as refused:
            self._known.pop(namespace, None)
            self._refuse(namespace, f"Secrets of namespace {namespace} are not ours to hand out", refused)
            return None
        return known

    async def _look(self, namespace: str) -> _Namespace:
        """Our own of an earlier life are found here: nothing of it is kept in memory alone."""
        found = _Namespace(self.clock.monotonic())
        for resource, names in ((ROLES, found.roles), (ROLE_BINDINGS, found.bindings)):
            listed = await self._cluster.client.list(resource, namespace, label_selector=SELECTOR)
            names.update(one.metadata.name for one in listed.items)
        return found

    async def _give(self, grant: Grant, known: _Namespace) -> None:
        write, namespace = self._cluster.write, grant.namespace
        try:
            with suppress(AlreadyExists):
                await write.roles.create(grant.role(), namespace)
            known.roles.add(grant.name)
            with suppress(AlreadyExists):
                await write.bindings.create(grant.binding(self._node_namespace), namespace)
            known.bindings.add(grant.name)
        except Forbidden as refused:
            names = ", ".join(grant.secrets)
            self._refuse(grant.name, f"Secret {namespace}/{names} is not ours to hand out", refused)

    async def _take(self, namespace: str, name: str, known: _Namespace) -> None:
        """The binding first: a Role alone lets nobody do anything."""
        gone = Unstructured(Meta(name, namespace), {})
        with suppress(NotFound):
            await self._cluster.write.bindings.delete(gone)
        known.bindings.discard(name)
        with suppress(NotFound):
            await self._cluster.write.roles.delete(gone)
        known.roles.discard(name)

    def _refuse(self, what: str, words: str, refused: ApiError) -> None:
        metrics.SECRET_RIGHTS_REFUSED.inc()
        self._refused[what] = self.clock.monotonic() + REFUSED_SECONDS
        log.log(logging.DEBUG if words in self._told else logging.WARNING, "%s: %s", words, refused)
        self._told.add(words)

    def _instance(self, _: EventType, old: AnkaInstance | None, new: AnkaInstance | None) -> None:
        if any(one is not None and names_secret(one) for one in (old, new)):
            self.wake()
