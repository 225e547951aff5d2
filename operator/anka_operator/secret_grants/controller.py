"""Lets the agent of an instance's node read the Secrets that the instance names, while it needs them.

It works in namespaces whose administrators allow the operator to do so (charts/base/rbac-secrets.yaml); in others
people grant the right themselves. Instances that name no Secret cost no call.
"""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from anka_crds.api import AnkaInstance
from anka_crds.rules.secret_refs import names_secret
from anka_kube.errors import AlreadyExists, ApiError, Forbidden, NotFound
from anka_kube.store import EventType
from anka_kube.unstructured import ROLE_BINDINGS, ROLES, Meta, Unstructured
from anka_operator import metrics
from anka_operator.cluster.access import AnkaCluster
from anka_operator.cluster.stores import WITH_SECRETS
from anka_operator.control_loop import ControlLoop, run_all
from anka_operator.secret_grants.desired import SELECTOR, SecretGrant, grant_for_instance, grant_for_node
from anka_runtime.clock import Clock

log = logging.getLogger(__name__)

LIST_SECONDS = 60.0
"""Maximum age of the list of our Roles in a namespace while instances there need some."""
FORBIDDEN_SECONDS = 15.0
"""Time after which a refused grant is tried again: it may be allowed by then."""


@dataclass
class _Namespace:
    """Names of our Roles and RoleBindings there, as listed and as written since."""

    read_at: float
    roles: set[str] = field(default_factory=set)
    bindings: set[str] = field(default_factory=set)

    @property
    def complete(self) -> set[str]:
        return self.roles & self.bindings

    @property
    def any(self) -> set[str]:
        return self.roles | self.bindings


class SecretGrantController(ControlLoop):
    """`node_namespace`: where the ServiceAccounts of the agents are."""

    def __init__(self, cluster: AnkaCluster, clock: Clock, *, node_namespace: str) -> None:
        # No window: an agent may be about to read.
        super().__init__("grants", clock, window=0.0, tick=LIST_SECONDS)
        self._cluster = cluster
        self._node_namespace = node_namespace
        self._namespaces: dict[str, _Namespace] = {}
        self._refused: dict[str, float] = {}
        """Time before which not to try again: by namespace, and by name of a grant."""
        self._logged: set[str] = set()
        self._for_binds: dict[str, SecretGrant] = {}
        """Grants for binds that are being written, by name."""
        self.follow(cluster.stores.instances, self._on_instance)

    async def run_once(self) -> float | None:
        now = self.clock.monotonic()
        self._refused = {what: until for what, until in self._refused.items() if until > now}
        instances = self._cluster.stores.instances.by_index(WITH_SECRETS, "yes")
        namespaces = {instance.metadata.namespace or "" for instance in instances}
        for namespace in sorted(namespaces | self._namespaces.keys()):
            if namespace not in self._refused:
                await self._reconcile(namespace)
        metrics.SECRET_RIGHTS.set(sum(len(known.complete) for known in self._namespaces.values()))
        return min((until - now for until in self._refused.values()), default=None)

    @asynccontextmanager
    async def grant_before_bind(self, instance: AnkaInstance, node: str) -> AsyncIterator[None]:
        """The bind is written in this block: the agent may read the Secrets as soon as it sees the bind. A right that
        cannot be granted now does not delay the bind: it is tried again, and the agent reports what is missing."""
        grant = grant_for_node(instance, node)
        if grant is None:
            yield
            return
        self._for_binds[grant.name] = grant
        try:
            try:
                await self._grant_early(grant)
            except ApiError as error:
                self.report(error)
            yield
        finally:
            # From here on, the status of the instance shows whether it has that node.
            del self._for_binds[grant.name]
            self.wake()

    async def _grant_early(self, grant: SecretGrant) -> None:
        if grant.namespace in self._refused or grant.name in self._refused:
            return
        known = self._namespaces.get(grant.namespace) or await self._read(grant.namespace)
        if known is not None and grant.name not in known.complete:
            await self._grant(grant, known)

    def _find_required_grants(self, namespace: str) -> dict[str, SecretGrant]:
        grants = [
            grant_for_instance(instance)
            for instance in self._cluster.stores.instances.by_index(WITH_SECRETS, "yes")
            if (instance.metadata.namespace or "") == namespace
        ]
        grants += [grant for grant in self._for_binds.values() if grant.namespace == namespace]
        return {grant.name: grant for grant in grants if grant is not None}

    async def _reconcile(self, namespace: str) -> None:
        """Raises ApiError."""
        known = self._namespaces.get(namespace)
        outdated = known is None or self.clock.monotonic() - known.read_at >= LIST_SECONDS
        if known is None or (outdated and (self._find_required_grants(namespace) or known.any)):
            known = await self._read(namespace)
            if known is None:
                return
        # Computed after the read: a bind may have begun meanwhile.
        required = self._find_required_grants(namespace)
        await run_all(
            [
                *(self._revoke(namespace, name, known) for name in sorted(known.any - required.keys())),
                *(
                    self._grant(grant, known)
                    for name, grant in sorted(required.items())
                    if name not in known.complete and name not in self._refused
                ),
            ]
        )

    async def _read(self, namespace: str) -> _Namespace | None:
        """Our Roles and RoleBindings as the API has them, those of earlier processes included; None if we may not list
        them. Raises ApiError."""
        known = _Namespace(self.clock.monotonic())
        try:
            for resource, names in ((ROLES, known.roles), (ROLE_BINDINGS, known.bindings)):
                found = await self._cluster.client.list(resource, namespace, label_selector=SELECTOR)
                names.update(obj.metadata.name for obj in found.items)
        except Forbidden as error:
            self._namespaces.pop(namespace, None)
            self._refuse(namespace, f"Secrets of namespace {namespace} are not ours to hand out", error)
            return None
        self._namespaces[namespace] = known
        return known

    async def _grant(self, grant: SecretGrant, known: _Namespace) -> None:
        write, namespace = self._cluster.write, grant.namespace
        try:
            with suppress(AlreadyExists):
                await write.roles.create(grant.build_role(), namespace)
            known.roles.add(grant.name)
            with suppress(AlreadyExists):
                await write.bindings.create(grant.build_binding(self._node_namespace), namespace)
            known.bindings.add(grant.name)
        except Forbidden as error:
            names = ", ".join(grant.secrets)
            self._refuse(grant.name, f"Secret {namespace}/{names} is not ours to hand out", error)

    async def _revoke(self, namespace: str, name: str, known: _Namespace) -> None:
        """The binding first: a Role without a binding grants nothing."""
        obj = Unstructured(Meta(name, namespace), {})
        with suppress(NotFound):
            await self._cluster.write.bindings.delete(obj)
        known.bindings.discard(name)
        with suppress(NotFound):
            await self._cluster.write.roles.delete(obj)
        known.roles.discard(name)

    def _refuse(self, what: str, message: str, error: ApiError) -> None:
        metrics.SECRET_RIGHTS_REFUSED.inc()
        self._refused[what] = self.clock.monotonic() + FORBIDDEN_SECONDS
        log.log(logging.DEBUG if message in self._logged else logging.WARNING, "%s: %s", message, error)
        self._logged.add(message)

    def _on_instance(self, _: EventType, old: AnkaInstance | None, new: AnkaInstance | None) -> None:
        if any(instance is not None and names_secret(instance) for instance in (old, new)):
            self.wake()
