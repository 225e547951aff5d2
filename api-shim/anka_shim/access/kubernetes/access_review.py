"""What identities of the cluster may do: what they may do with kubectl."""

from collections.abc import Collection
from typing import Any

from anka_crds.api.meta import GROUP
from anka_kube.unstructured import ACCESS_REVIEWS
from anka_runtime.clock import Clock
from anka_shim.access.kubernetes.principal import KubernetesPrincipal
from anka_shim.access.kubernetes.reviewer import KubernetesReviewer
from anka_shim.access.kubernetes.verbs import VERBS, ResourceVerb
from anka_shim.access.verdict_cache import VerdictCache
from anka_shim.http.rights import Right

KEPT_SECONDS = 10.0
"""How long a change of roles and bindings may go unnoticed."""
MOST_ANSWERS = 50_000


class AccessReviewRights:
    """`namespace`: in which REST makes instances. `narrowed`: namespaces whose ServiceAccounts have no right here.
    Admission policies narrow what Macs may do with their rights by who they are, and what the shim does on behalf of a
    Mac is not seen as the Mac's."""

    def __init__(
        self, reviewer: KubernetesReviewer, clock: Clock, *, namespace: str, narrowed: Collection[str] = ()
    ) -> None:
        self._reviewer = reviewer
        self._namespace = namespace
        self._narrowed = frozenset(f"system:serviceaccounts:{one}" for one in narrowed)
        self._verdicts: VerdictCache[tuple[KubernetesPrincipal, ResourceVerb], bool] = VerdictCache(
            clock, most=MOST_ANSWERS
        )

    async def allows(self, principal: KubernetesPrincipal, right: Right) -> bool:
        """Raises Failure while that cannot be asked."""
        needs = VERBS.get(right, ())
        if not needs or not self._narrowed.isdisjoint(principal.groups):
            return False
        for need in needs:
            if not await self._has(principal, need):
                return False
        return True

    async def close(self) -> None:
        await self._verdicts.close()

    async def _has(self, principal: KubernetesPrincipal, need: ResourceVerb) -> bool:
        async def ask() -> tuple[bool, float]:
            status = await self._reviewer.review(ACCESS_REVIEWS, self._spec(principal, need))
            return status.get("allowed") is True, KEPT_SECONDS

        return await self._verdicts.get((principal, need), ask)

    def _spec(self, principal: KubernetesPrincipal, need: ResourceVerb) -> dict[str, Any]:
        resource, _, subresource = need.resource.partition("/")
        attributes = {
            "group": GROUP,
            "resource": resource,
            "subresource": subresource,
            "verb": need.verb,
            # Without one: in all.
            "namespace": self._namespace if need.is_local else "",
        }
        return {
            "user": principal.name,
            "uid": principal.uid,
            "groups": sorted(principal.groups),
            "extra": {key: list(values) for key, values in principal.extra},
            "resourceAttributes": {key: value for key, value in attributes.items() if value},
        }
