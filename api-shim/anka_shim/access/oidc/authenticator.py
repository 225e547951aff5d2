"""Logs in with tokens of the OIDC provider (docs/operate/openid-connect.md)."""

import hashlib
import logging

from anka_runtime.clock import Clock
from anka_runtime.repetition import CAUSE
from anka_shim.access.oidc.claims import LEEWAY_SECONDS, ClaimRules, read_principal
from anka_shim.access.oidc.discovery import is_same
from anka_shim.access.oidc.key_set import verify
from anka_shim.access.oidc.provider import OidcProvider
from anka_shim.access.unverified_token import UnverifiedToken
from anka_shim.access.verdict_cache import VerdictCache
from anka_shim.http.authentication import Principal

log = logging.getLogger(__name__)

KEPT_SECONDS = 10.0
"""How long a key that the provider has withdrawn may still count, once that is known."""
MOST_TOKENS = 10_000


class OidcAuthenticator:
    """Checks each token once for a while. `url`: of the provider."""

    def __init__(self, provider: OidcProvider, clock: Clock, *, url: str, rules: ClaimRules) -> None:
        self._provider = provider
        self._clock = clock
        self._url = url
        self._rules = rules
        self._verdicts: VerdictCache[bytes, Principal | None] = VerdictCache(clock, most=MOST_TOKENS)

    def takes(self, token: UnverifiedToken) -> bool:
        """What this provider has made, or somebody who says so."""
        return is_same(token.issuer, self._url)

    async def authenticate(self, token: UnverifiedToken) -> Principal | None:
        """Raises Failure while the keys of the provider are not known."""

        async def ask() -> tuple[Principal | None, float]:
            try:
                principal = await self._check(token)
            except ValueError as error:
                log.warning("OIDC token refused: %s", error, extra={CAUSE: str(error)})
                return None, KEPT_SECONDS
            left = (token.expires or 0.0) + LEEWAY_SECONDS - self._clock.now().timestamp()
            return principal, min(KEPT_SECONDS, left)

        return await self._verdicts.get(hashlib.sha256(token.text.encode()).digest(), ask)

    async def close(self) -> None:
        await self._verdicts.close()

    async def _check(self, token: UnverifiedToken) -> Principal:
        """ValueError for what is not valid."""
        key = await self._provider.find_key(token.key_id)
        if key is None:
            raise ValueError("the provider has no key of this name")
        claims = verify(token, key)
        issuer = (await self._provider.info()).issuer
        return read_principal(claims, issuer, self._rules, self._clock.now().timestamp())
