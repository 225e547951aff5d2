"""Logs in with the cluster's own tokens (docs/operate/access.md#kubernetes-tokens)."""

import hashlib

from anka_kube.unstructured import TOKEN_REVIEWS
from anka_runtime.clock import Clock
from anka_shim.access.kubernetes.principal import KubernetesPrincipal, read_principal
from anka_shim.access.kubernetes.reviewer import KubernetesReviewer
from anka_shim.access.unverified_token import UnverifiedToken
from anka_shim.access.verdict_cache import VerdictCache

KEPT_SECONDS = 30.0
"""How long a token that was deleted, or whose pod was, still counts."""
REFUSED_SECONDS = 5.0
"""The same for one that is not valid: it may be before its time by a clock's error."""
MOST_TOKENS = 10_000


class TokenReviewAuthenticator:
    """A token counts no longer than it says itself."""

    def __init__(self, reviewer: KubernetesReviewer, clock: Clock, *, audience: str) -> None:
        self._reviewer = reviewer
        self._clock = clock
        self._audience = audience
        self._verdicts: VerdictCache[bytes, KubernetesPrincipal | None] = VerdictCache(clock, most=MOST_TOKENS)

    def takes(self, token: UnverifiedToken) -> bool:
        """Any: issuers of a cluster have all kinds of names."""
        return True

    async def authenticate(self, token: UnverifiedToken) -> KubernetesPrincipal | None:
        """None if the cluster does not know it. Raises Failure while that cannot be asked."""

        async def ask() -> tuple[KubernetesPrincipal | None, float]:
            spec = {"token": token.text, "audiences": [self._audience]}
            principal = read_principal(await self._reviewer.review(TOKEN_REVIEWS, spec), self._audience)
            if principal is None:
                return None, REFUSED_SECONDS
            left = KEPT_SECONDS if token.expires is None else token.expires - self._clock.now().timestamp()
            return principal, min(KEPT_SECONDS, left)

        return await self._verdicts.get(hashlib.sha256(token.text.encode()).digest(), ask)

    async def close(self) -> None:
        await self._verdicts.close()
