"""The gate: authentication and authorization. Every request passes it, whatever answers the request."""

import contextvars
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.routing import Match, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from anka_runtime import logs
from anka_runtime.context_value import ContextValue
from anka_shim.http.rights import RIGHTS, Right
from anka_shim.requester import requested_by

PRINCIPAL = "anka.principal"
"""Key in the ASGI scope under which endpoints find the Principal."""

_POLICY = "anka.policy"


class LoginMethod(StrEnum):
    """How somebody logged in."""

    ROOT = "root"
    API_KEY = "api-key"
    CERTIFICATE = "certificate"
    OIDC = "oidc"
    KUBERNETES = "kubernetes"


@dataclass(frozen=True)
class Principal:
    """The sender of a request."""

    name: str
    groups: frozenset[str] = frozenset()
    is_root: bool = False
    """Has every right."""
    method: LoginMethod | None = None
    expires: int | None = field(default=None, compare=False)
    """When this login ends, in seconds since 1970; None where it has no end, or that is not known."""

    @property
    def account(self) -> str:
        """Who it is in logs, annotations and budgets: never the same for two who log in differently.

        Names alone would be: a certificate or a provider may call its user `root`, or as an API key is called."""
        match self.method:
            case None | LoginMethod.ROOT:
                return self.name
            case LoginMethod.API_KEY if ":" not in self.name and self.name != LoginMethod.ROOT:
                # As the old controller calls it.
                return self.name
        return f"{self.method}:{self.name}"


ANONYMOUS = Principal("anonymous")

_sender: contextvars.ContextVar[Principal] = contextvars.ContextVar("anka_sender", default=ANONYMOUS)


def sent_by(principal: Principal) -> ContextValue[Principal]:
    """What happens inside the block, in this task and the tasks that it starts, is done for them."""
    return ContextValue(_sender, principal)


def current_sender() -> Principal:
    """Of the request that is worked on."""
    return _sender.get()


def client_address(scope: Scope) -> str:
    """Where the request comes from, as trusted proxies tell it; empty if that is not known."""
    return scope["client"][0] if scope.get("client") else ""


def name_client(scope: Scope) -> str:
    """Who is held to account for a request: its sender, or their address while nobody has to say who they are."""
    principal: Principal = scope[PRINCIPAL]
    if principal is not ANONYMOUS:
        return principal.account
    return client_address(scope) or "an unknown address"


class AccessPolicy(Protocol):
    """Decides on requests."""

    async def admit(self, scope: Scope, right: Right) -> Principal:
        """The sender, who has this right. Raises a Failure with the HTTP status for a request that is refused."""

    async def authenticate(self, scope: Scope) -> Principal:
        """The sender, whatever their rights. Raises a Failure with the HTTP status where there is none."""

    async def allows(self, principal: Principal, right: Right) -> bool:
        """Whether who has logged in has this right. Raises a Failure while nobody can say."""


async def require_right(scope: Scope, right: Right) -> None:
    """Beside the right of its route, a request may need one that depends on its content. Raises Failure."""
    policy: AccessPolicy = scope[_POLICY]
    await policy.admit(scope, right)


class OpenAccess:
    """Admits everything: authentication is off."""

    async def admit(self, scope: Scope, right: Right) -> Principal:
        return ANONYMOUS

    async def authenticate(self, scope: Scope) -> Principal:
        return ANONYMOUS

    async def allows(self, principal: Principal, right: Right) -> bool:
        return True


class Gate:
    """ASGI middleware around everything that answers: routes, simple reads, 404 and 405. `api` is what has the routes.

    Raises Failure for what the policy refuses."""

    def __init__(
        self, app: ASGIApp, *, api: FastAPI, policy: AccessPolicy, rights: Mapping[str, Right] = RIGHTS
    ) -> None:
        self._app = app
        self._policy = policy
        self._literal: dict[tuple[str, str], Right] = {}
        self._patterns: list[tuple[Route, Mapping[str, Right]]] = []
        for method, path, route in routes(api):
            right = rights.get(f"{method} {path}", Right.UNKNOWN_ROUTE)
            if route.param_convertors:
                self._patterns.append((route, {method: right}))
            else:
                self._literal[method, path] = right

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # HEAD is answered as GET is.
        method = "GET" if scope["method"] == "HEAD" else scope["method"]
        right = self._literal.get((method, scope["path"])) or self._match(method, scope)
        scope[_POLICY] = self._policy
        principal = scope[PRINCIPAL] = await self._policy.admit(scope, right)
        # Not by its name: a key may be called so.
        if principal is ANONYMOUS:
            await self._app(scope, receive, send)
            return
        account = principal.account
        with sent_by(principal), requested_by(account), logs.context(user=account):
            await self._app(scope, receive, send)

    def _match(self, method: str, scope: Scope) -> Right:
        for route, rights in self._patterns:
            if route.matches(scope)[0] is not Match.NONE and method in rights:
                return rights[method]
        return Right.UNKNOWN_ROUTE


def routes(api: FastAPI) -> list[tuple[str, str, Route]]:
    """Method, path and route of all that the application serves. HEAD goes with GET."""
    return [
        (method, str(context.path), context.original_route)
        for context in iter_route_contexts(api.routes)
        if isinstance(context.original_route, Route)
        for method in sorted((context.methods or set()) - {"HEAD"})
    ]
