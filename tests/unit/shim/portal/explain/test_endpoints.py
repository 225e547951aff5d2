"""Explanations over HTTP."""

from __future__ import annotations

from starlette.types import Scope

from anka_shim.failure import Failure
from anka_shim.http.authentication import OpenAccess, Principal
from anka_shim.http.rights import Right
from support.shim_rig import TEMPLATE, rig

PATH = "/portal/v1/explain"


async def test_of_a_start() -> None:
    async with rig() as shim:
        found = await shim.body("GET", f"{PATH}?vmid={TEMPLATE}&tag=v1")
        assert (found["answer"]["node"], found["answer"]["needsPull"]) == ("mac-1", True)
        assert [(one["node"], one["fits"], one["capacity"]) for one in found["nodes"]] == [("mac-1", True, 2)]
        assert await shim.message("GET", f"{PATH}?vmid=nope") == "VM not in the registry"
        assert await shim.message("GET", f"{PATH}?vmid={TEMPLATE}&tag=v9") == "No such tag v9"
        assert (await shim.message("GET", PATH)).startswith("vmid: is required")
        assert not shim.api.count("create")


async def test_of_one_that_waits() -> None:
    async with rig() as shim:
        first, second = (await shim.start(count=2, node_id="mac-1"))["body"]
        found = await shim.body("GET", f"{PATH}?id={max(first, second)}")
        assert found["ahead"] in (0, 1)
        both = [await shim.body("GET", f"{PATH}?id={id_}") for id_ in (first, second)]
        assert sorted(one["ahead"] for one in both) == [0, 1]
        assert await shim.message("GET", f"{PATH}?id=nope") == "Not found"


async def test_of_one_that_has_a_node() -> None:
    async with rig() as shim:
        status = {"phase": "Started", "nodeName": "mac-1"}
        shim.api.put("ankainstances", "runs", "anka-ci", spec={"template": TEMPLATE}, status=status)
        await shim.services.stores.instances.wait_for(lambda store: len(store) == 1, 60)
        (id_,) = (shim.services.stores.id_of(one) for one in shim.services.stores.instances)
        assert await shim.message("GET", f"{PATH}?id={id_}") == "id: the instance does not wait: it is Started"


class MayListInstances(OpenAccess):
    async def admit(self, scope: Scope, right: Right) -> Principal:
        if right is not Right.LIST_VMS:
            raise Failure("Not authorized to perform this request", code=403)
        return Principal("me")


async def test_it_names_nodes() -> None:
    async with rig(policy=MayListInstances()) as shim:
        assert (await shim.http.get(f"{PATH}?vmid={TEMPLATE}")).status_code == 403
        assert (await shim.http.get("/api/v1/vm")).status_code == 200
