"""What somebody may see and do now, asked of the same policy as every request."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.types import Scope

from anka_shim.access.resource_rights import ResourceRights
from anka_shim.http.authentication import AccessPolicy, Principal
from anka_shim.http.remote_host import REMOTE_HOST
from anka_shim.http.rights import Right
from anka_shim.portal.kinds import KIND_RIGHTS
from anka_shim.portal.session.session import ALL_RIGHTS, describe_session
from anka_shim.portal.visibility import EVERYTHING, Visibility, find_visibility
from anka_shim.settings import ShimSettings
from anka_shim.store.caches import Stores

_KEPT = ("type", "method", "scheme", "path", "headers", "client", "server", "query_string", REMOTE_HOST)


@dataclass(frozen=True)
class Access:
    """What somebody may see now. `denied`: kinds, with the right that is missing."""

    session: Mapping[str, Any]
    kinds: frozenset[str]
    denied: Mapping[str, str]
    visibility: Visibility = EVERYTHING


Evaluate = Callable[[], Awaitable[Access]]
"""Raises Failure: 401 when the login has ended, 503 while nobody can say."""


class PortalAccess:
    """`settings`: what the page is told about this cloud."""

    def __init__(
        self, policy: AccessPolicy, settings: ShimSettings, stores: Stores, resource_rights: ResourceRights
    ) -> None:
        self._policy = policy
        self._stores = stores
        self._resource_rights = resource_rights
        self._settings = settings

    async def describe(self, scope: Scope) -> Any:
        """The session. Raises Failure as for any request."""
        return await self.describe_principal(await self._policy.authenticate(scope))

    async def describe_principal(self, principal: Principal) -> Any:
        return describe_session(principal, await self._rights(principal), self._settings, principal.expires)

    def watch(self, scope: Scope) -> Evaluate:
        """To be asked again while a stream lasts, with the credentials that it began with."""
        kept = {key: scope[key] for key in _KEPT if key in scope}

        async def evaluate() -> Access:
            principal = await self._policy.authenticate({**kept})
            rights = await self._rights(principal)
            session = describe_session(principal, rights, self._settings, principal.expires)
            missing = {
                kind: right.value
                for kind, right in KIND_RIGHTS.items()
                if right is not Right.LOGIN and rights is not None and right.value not in rights
            }
            visibility = find_visibility(self._resource_rights, self._stores, principal)
            return Access(session, frozenset(KIND_RIGHTS.keys() - missing.keys()), missing, visibility)

        return evaluate

    async def _rights(self, principal: Principal) -> frozenset[str] | None:
        """None for all."""
        if principal.is_root:
            return None
        held = [right for right in ALL_RIGHTS if await self._policy.allows(principal, right)]
        return None if len(held) == len(ALL_RIGHTS) else frozenset(right.value for right in held)
