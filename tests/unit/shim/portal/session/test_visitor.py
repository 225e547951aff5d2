from __future__ import annotations

import pytest
from starlette.types import Scope

from anka_shim.access.resource_rights import ResourceRights
from anka_shim.failure import Failure
from anka_shim.http.authentication import LoginMethod, OpenAccess, Principal
from anka_shim.http.rights import Right
from anka_shim.portal.kinds import KIND_RIGHTS
from anka_shim.portal.session.visitor import PortalAccess
from anka_shim.settings import ShimSettings
from anka_shim.store.caches import Stores


class Changing(OpenAccess):
    """Whoever asks is ann, as long as there is one, with these rights."""

    def __init__(self, *rights: Right) -> None:
        self.principal: Principal | None = Principal("ann", method=LoginMethod.API_KEY)
        self.rights = set(rights)

    async def authenticate(self, scope: Scope) -> Principal:
        if self.principal is None:
            raise Failure("Authentication Required", code=401)
        return self.principal

    async def allows(self, principal: Principal, right: Right) -> bool:
        return principal.is_root or right in self.rights


SCOPE = {"type": "http", "method": "GET", "path": "/", "headers": [], "anything": "else"}


async def test_lists_by_rights() -> None:
    policy = Changing(Right.LIST_VMS, Right.START_VM)
    stores = Stores()
    evaluate = PortalAccess(policy, ShimSettings(), stores, ResourceRights(stores)).watch(SCOPE)
    access = await evaluate()
    assert access.kinds == {"cloud", "instances"}
    assert access.denied == {kind: right.value for kind, right in KIND_RIGHTS.items() if kind not in access.kinds}
    assert access.session["rights"] == ["list_vms", "start_vm"]
    assert access.session["login"] == "apiKey"
    assert await evaluate() == access
    policy.rights.add(Right.LIST_NODES)
    assert (await evaluate()).kinds == {"cloud", "instances", "nodes"}
    policy.principal = Principal("root", is_root=True, method=LoginMethod.ROOT)
    everything = await evaluate()
    assert everything.kinds == KIND_RIGHTS.keys()
    assert everything.session["rights"] is None
    policy.principal = None
    with pytest.raises(Failure) as ended:
        await evaluate()
    assert ended.value.code == 401
