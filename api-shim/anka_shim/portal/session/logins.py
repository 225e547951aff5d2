"""People log in at the page, with what machines log in with: they get a session of the browser for it."""

import re
from dataclasses import dataclass

from starlette.types import Scope

from anka_runtime.clock import Clock
from anka_shim.access.browser_session import LONGEST_SESSION_SECONDS, BrowserSessions
from anka_shim.access.credential import BasicCredential, parse
from anka_shim.access.policy import UNAUTHENTICATED
from anka_shim.access.unverified_token import parse_unverified
from anka_shim.failure import Failure
from anka_shim.http.authentication import AccessPolicy, LoginMethod, Principal

_LOOPBACK = re.compile(r"(localhost|127(\.\d{1,3}){3}|\[::1\]|[a-z0-9-]+\.localhost)(:\d{1,5})?", re.IGNORECASE)
NEEDS_HTTPS = "a browser keeps the cookie of a login over HTTPS only, or at localhost: open the portal by https://"


@dataclass(frozen=True)
class PortalSession:
    """`cookie`: its value. `until`: seconds since 1970."""

    principal: Principal
    cookie: str
    until: int
    seconds: int


class PortalLogins:
    def __init__(self, policy: AccessPolicy, sessions: BrowserSessions, clock: Clock) -> None:
        self._policy = policy
        self._sessions = sessions
        self._clock = clock

    async def log_in(self, scope: Scope) -> PortalSession:
        """By the Authorization header alone. Raises Failure."""
        headers = [(name, value) for name, value in scope["headers"] if name != b"cookie"]
        authorization = dict(headers).get(b"authorization")
        if authorization is None:
            raise Failure(UNAUTHENTICATED, code=401)
        if not keeps_cookies(scope):
            raise Failure(NEEDS_HTTPS)
        principal = await self._policy.authenticate({**scope, "headers": headers})
        if principal.method is None:
            raise Failure("nobody has to log in here")
        if principal.method is LoginMethod.OIDC:
            raise Failure("log in at the provider: /oidc/v1/login")
        now = int(self._clock.now().timestamp())
        token = _read_token(authorization) if principal.method is LoginMethod.KUBERNETES else ""
        seconds = min(LONGEST_SESSION_SECONDS, _seconds_left(token, now))
        try:
            cookie = self._sessions.make(principal, now + seconds, token)
        except ValueError as error:
            raise Failure(f"there can be no session: {error}") from None
        return PortalSession(principal, cookie, now + seconds, seconds)


def keeps_cookies(scope: Scope) -> bool:
    """Whether the browser will keep the cookie. It says in Origin by which scheme it came, whatever is in between."""
    headers = dict(scope["headers"])
    origin = headers.get(b"origin", b"").decode("latin-1")
    scheme, _, place = origin.partition("://")
    if not place:
        scheme, place = scope["scheme"], headers.get(b"host", b"").decode("latin-1")
    return scheme.lower() == "https" or _LOOPBACK.fullmatch(place) is not None


def _read_token(authorization: bytes) -> str:
    credential = parse(authorization)
    if isinstance(credential, BasicCredential):
        return credential.password.decode("ascii", "replace")
    return credential.token


def _seconds_left(token: str, now: int) -> int:
    parsed = parse_unverified(token) if token else None
    return LONGEST_SESSION_SECONDS if parsed is None or parsed.expires is None else max(0, int(parsed.expires) - now)
