"""People log in with a browser: authorization code with PKCE (OpenID Connect Core 1.0, 3.1)."""

import hmac
import logging
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from anka_runtime.clock import Clock
from anka_shim.access.browser_session import LONGEST_SESSION_SECONDS, BrowserSessions
from anka_shim.access.oidc.attempt import LoginAttempt, derive
from anka_shim.access.oidc.claims import ClaimRules, read_principal
from anka_shim.access.oidc.key_set import verify
from anka_shim.access.oidc.provider import REFUSED, OidcProvider
from anka_shim.access.seal import NONCE_BYTES, Seal, close, reopen
from anka_shim.access.unverified_token import parse_unverified
from anka_shim.failure import Failure

log = logging.getLogger(__name__)

CALLBACK = "/oidc/v1/callback"
ATTEMPT_SECONDS = 600
"""How long somebody may take to log in at the provider."""


@dataclass(frozen=True, slots=True)
class CodeFlowRules:
    """`site`: where browsers reach the shim, such as https://anka.example.com. `claims.audiences`: the client alone."""

    site: str
    client_id: str
    scopes: Sequence[str]
    claims: ClaimRules

    @property
    def redirect_url(self) -> str:
        return self.site + CALLBACK


class CodeFlow:
    """`seal_keys`: gives the keys that seal, the one for new seals first. `client_secret`: reads it."""

    def __init__(
        self,
        provider: OidcProvider,
        sessions: BrowserSessions,
        seal_keys: Callable[[], Sequence[bytes]],
        client_secret: Callable[[], bytes],
        clock: Clock,
        rules: CodeFlowRules,
    ) -> None:
        self._provider = provider
        self.sessions = sessions
        self._seal_keys = seal_keys
        self._client_secret = client_secret
        self._clock = clock
        self._rules = rules

    async def begin(self) -> tuple[str, str]:
        """Where the browser goes, and the cookie with which it comes back. Raises Failure while nobody knows."""
        until = int(self._clock.now().timestamp()) + ATTEMPT_SECONDS
        key = self._seal_keys()[0]
        sealed = close(Seal(secrets.token_bytes(NONCE_BYTES), until), "login", (), key)
        attempt = derive(sealed, key)
        query = {
            "response_type": "code",
            "client_id": self._rules.client_id,
            "redirect_uri": self._rules.redirect_url,
            "scope": " ".join(self._rules.scopes),
            "state": attempt.state,
            "nonce": attempt.nonce,
            "code_challenge": attempt.challenge,
            "code_challenge_method": "S256",
        }
        url = (await self._provider.info()).authorization_url
        return f"{url}{'&' if '?' in url else '?'}{urlencode(query)}", sealed

    async def end(self, sealed: str, state: str, code: str) -> tuple[str, int]:
        """The cookie of a session, and how many seconds it lasts. Raises Failure."""
        attempt = self._find_attempt(sealed, state)
        if attempt is None:
            raise Failure(REFUSED, code=400)
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._rules.redirect_url,
            "code_verifier": attempt.verifier,
        }
        answer = await self._provider.redeem(form, self._rules.client_id, self._client_secret().decode())
        try:
            return await self._open_session(answer, attempt)
        except ValueError as error:
            log.warning("login by OIDC refused: %s", error)
            raise Failure(REFUSED, code=403) from None

    def _find_attempt(self, sealed: str, state: str) -> LoginAttempt | None:
        """The one that this browser has begun, whichever of the keys has sealed it."""
        now = self._clock.now().timestamp()
        for key in self._seal_keys():
            if reopen(sealed, "login", (), (key,), now) is not None:
                attempt = derive(sealed, key)
                return attempt if hmac.compare_digest(attempt.state.encode(), state.encode()) else None
        return None

    async def _open_session(self, answer: Mapping[str, Any], attempt: LoginAttempt) -> tuple[str, int]:
        """ValueError for a token that is not for this attempt."""
        text = answer.get("id_token")
        token = parse_unverified(text) if isinstance(text, str) else None
        key = await self._provider.find_key(token.key_id) if token is not None else None
        if token is None or key is None:
            raise ValueError("there is no ID token, or the provider has no key of its name")
        claims = verify(token, key)
        now = self._clock.now().timestamp()
        principal = read_principal(claims, (await self._provider.info()).issuer, self._rules.claims, now)
        if self._rules.client_id not in (claims["aud"] if isinstance(claims.get("aud"), list) else [claims.get("aud")]):
            raise ValueError("claim aud: an ID token must be made for the client itself")
        if not hmac.compare_digest(str(claims.get("nonce")).encode(), attempt.nonce.encode()):
            raise ValueError("claim nonce: it was made for another login")
        seconds = count_seconds(answer.get("expires_in"), claims["exp"] - now)
        return self.sessions.make(principal, int(now) + seconds), seconds


def count_seconds(expires_in: object, left: float) -> int:
    """As long as the access token; if the provider does not say how long that is, as long as the ID token."""
    is_number = isinstance(expires_in, int) and not isinstance(expires_in, bool) and expires_in > 0
    seconds = expires_in if is_number and isinstance(expires_in, int) else int(left)
    return max(0, min(seconds, LONGEST_SESSION_SECONDS))
