"""Access where authentication is on: 401 without valid credentials, 403 without the right."""

import logging
from collections.abc import Sequence
from typing import Protocol

from starlette.types import Scope

from anka_runtime.repetition import CAUSE
from anka_shim import metrics
from anka_shim.access.authorities import CertificateRefused
from anka_shim.access.browser_session import BrowserSessions
from anka_shim.access.client_certificates import ClientCertificates
from anka_shim.access.credential import BasicCredential, BearerCredential, Credential, find_header, parse
from anka_shim.access.handshake import Handshake
from anka_shim.access.kubernetes.access_review import AccessReviewRights
from anka_shim.access.kubernetes.principal import KubernetesPrincipal
from anka_shim.access.login_limiter import LoginLimiter
from anka_shim.access.root_token import RootTokenCredential
from anka_shim.access.unverified_token import UnverifiedToken, parse_unverified
from anka_shim.failure import Failure, forbidden
from anka_shim.http.authentication import ANONYMOUS, Principal, client_address
from anka_shim.http.methods import SAFE
from anka_shim.http.origin import is_own_page
from anka_shim.http.rights import Right

log = logging.getLogger(__name__)

UNAUTHENTICATED = "Authentication Required"
"""The exporter renews its session on exactly this message (docs/reference/legacy-api.md#authentication-codes)."""

_NEEDS_NO_LOGIN = frozenset({Right.NONE, Right.PEER})
_NEEDS_NO_RIGHT = frozenset({Right.LOGIN, Right.UNKNOWN_ROUTE})


class Rights(Protocol):
    """What who has logged in may do."""

    def allows(self, principal: Principal, right: Right) -> bool:
        """Asked at each request; never about the root token."""


class EveryRight:
    """Authorization is off: who has logged in may do everything."""

    def allows(self, principal: Principal, right: Right) -> bool:
        return True


class TokenAuthenticator(Protocol):
    """Logs in with JSON Web Tokens of one kind."""

    def takes(self, token: UnverifiedToken) -> bool:
        """Whether this kind is meant, by what the token says of itself."""

    async def authenticate(self, token: UnverifiedToken) -> Principal | None:
        """None if it is not valid. Raises Failure while nobody can say."""


class RequiredAccess:
    """An AccessPolicy. `handshake`: None where API keys are off. `certificates`: None where those of clients count for
    nothing. `tokens`: the first that takes a token decides. `kubernetes_rights`: of those who have logged in with a
    token of the cluster."""

    def __init__(
        self,
        root: RootTokenCredential,
        login_limiter: LoginLimiter,
        *,
        handshake: Handshake | None = None,
        certificates: ClientCertificates | None = None,
        rights: Rights | None = None,
        tokens: Sequence[TokenAuthenticator] = (),
        kubernetes_rights: AccessReviewRights | None = None,
        oidc: TokenAuthenticator | None = None,
        browsers: BrowserSessions | None = None,
    ) -> None:
        """`oidc`: of the provider, before the `tokens`. `browsers`: None where people do not log in with one."""
        self._root = root
        self._login_limiter = login_limiter
        self._handshake = handshake
        self._certificates = certificates
        self._rights = rights or EveryRight()
        self._tokens = tokens if oidc is None else (oidc, *tokens)
        self._kubernetes_rights = kubernetes_rights
        self._browsers = browsers

    async def admit(self, scope: Scope, right: Right) -> Principal:
        if right in _NEEDS_NO_LOGIN:
            return ANONYMOUS
        principal = await self.authenticate(scope)
        if right not in _NEEDS_NO_RIGHT and not await self.allows(principal, right):
            raise forbidden()
        return principal

    async def authenticate(self, scope: Scope) -> Principal:
        return await self._authenticate_browser(scope) or await self._authenticate(scope)

    async def allows(self, principal: Principal, right: Right) -> bool:
        return principal.is_root or await self._allows(principal, right)

    async def _authenticate_browser(self, scope: Scope) -> Principal | None:
        """Not limited: nobody guesses a seal. Who has logged in with a browser means this login, even if the browser
        has a certificate, too; an Authorization header was meant by whoever wrote it."""
        if self._browsers is None or any(name == b"authorization" for name, _ in scope["headers"]):
            return None
        principal = await self._browsers.authenticate(scope["headers"])
        if principal is not None and scope["method"] not in SAFE and not is_own_page(dict(scope["headers"])):
            raise Failure("a page of another site must not use this login", code=403)
        return principal

    async def _allows(self, principal: Principal, right: Right) -> bool:
        if isinstance(principal, KubernetesPrincipal):
            return self._kubernetes_rights is not None and await self._kubernetes_rights.allows(principal, right)
        return self._rights.allows(principal, right)

    async def _authenticate(self, scope: Scope) -> Principal:
        """Raises Failure. An Authorization header decides alone, also where it is wrong."""
        try:
            header = find_header(scope["headers"])
        except ValueError:
            raise self._refuse(scope) from None
        if header is None:
            return self._authenticate_by_certificate(scope)
        address = client_address(scope)
        credential = self._parse(header)
        if isinstance(credential, BearerCredential) and self._handshake is not None:
            # Not limited: nobody guesses a seal, and Jenkins has a new session for each request.
            session = self._handshake.authenticate(credential.token)
            if session is not None:
                return session
        limit_logins(self._login_limiter, address, header)
        principal = self._root.authenticate(credential) if isinstance(credential, BasicCredential) else None
        if principal is None:
            principal = await self._authenticate_token(credential)
        if principal is None:
            self._login_limiter.note_failure(address, header)
            raise self._refuse(scope)
        self._login_limiter.note_success(header)
        return principal

    def _authenticate_by_certificate(self, scope: Scope) -> Principal:
        # Not limited: nobody guesses a signature.
        try:
            principal = None if self._certificates is None else self._certificates.authenticate(scope)
        except (CertificateRefused, ValueError) as error:
            raise refuse_login(client_address(scope), f"client certificate: {error}") from None
        if principal is None:
            raise Failure(UNAUTHENTICATED, code=401)
        return principal

    async def _authenticate_token(self, credential: Credential | None) -> Principal | None:
        """Whoever can send nothing but a user and a password sends the token as the password."""
        token = parse_unverified(_token_of(credential)) if self._tokens and credential is not None else None
        if token is None:
            return None
        authenticator = next((one for one in self._tokens if one.takes(token)), None)
        return await authenticator.authenticate(token) if authenticator is not None else None

    @staticmethod
    def _parse(header: bytes) -> Credential | None:
        try:
            return parse(header)
        except ValueError:
            return None

    @staticmethod
    def _refuse(scope: Scope) -> Failure:
        return refuse_login(client_address(scope))


def _token_of(credential: Credential) -> str:
    if isinstance(credential, BearerCredential):
        return credential.token
    return credential.password.decode("ascii", "replace")


def limit_logins(limiter: LoginLimiter, address: str, credential: bytes) -> None:
    """Raises Failure while this address may not try this credential."""
    seconds = limiter.retry_after(address, credential)
    if seconds is not None:
        metrics.REFUSED_LOGINS.labels("limited").inc()
        text = f"too many failed logins from this address: try again in {seconds} s"
        raise Failure(text, code=429, retry_after=seconds)


def refuse_login(client: str, why: str = "") -> Failure:
    """Counted and logged; with what was wrong only where that is no secret."""
    metrics.REFUSED_LOGINS.labels("wrong").inc()
    about = {"client": client, CAUSE: ("login", client, why)}
    log.warning(f"login refused: {why}" if why else "login refused", extra=about)
    return Failure(UNAUTHENTICATED, code=401)
