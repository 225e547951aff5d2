"""History over HTTP."""

from __future__ import annotations

from starlette.types import Scope

from anka_shim.failure import Failure
from anka_shim.http.authentication import OpenAccess, Principal
from anka_shim.http.rights import Right
from support.shim_rig import TEMPLATE, TIMES, Rig, rig

STARTED = {
    "phase": "Started",
    "nodeName": "mac-1",
    "scheduledAt": "2026-01-01T10:00:02Z",
    "startedAt": "2026-01-01T10:00:09Z",
    "template": {"id": TEMPLATE, "name": "macos", "tag": "v2"},
}


async def runs(shim: Rig) -> str:
    shim.api.put("ankainstances", "runs", "anka-ci", spec={"template": TEMPLATE}, status=STARTED, metadata=TIMES)
    await shim.services.stores.instances.wait_for(lambda store: len(store) == 1, 60)
    (found,) = shim.services.stores.instances
    return shim.services.stores.id_of(found)


async def test_the_cloud() -> None:
    async with rig() as shim:
        await runs(shim)
        shim.services.history.take_sample()
        found = await shim.body("GET", "/portal/v1/history")
        assert found["step"] == 10
        assert found["series"]["running"][-1] == 1
        assert found["startSeconds"] == {TEMPLATE: {"p50": 7.0, "p95": 7.0, "n": 1}}
        assert found["waitSeconds"]["n"] == 1


async def test_one_instance() -> None:
    async with rig() as shim:
        id_ = await runs(shim)
        found = await shim.body("GET", f"/portal/v1/timeline?id={id_}")
        assert [step["name"] for step in found["steps"]] == ["wait", "network"]
        assert found["steps"][0] == {
            "name": "wait",
            "from": "2026-01-01T10:00:00Z",
            "to": "2026-01-01T10:00:02Z",
            "seconds": 2.0,
            "seen": True,
        }
        assert (found["of"], found["median"]) == (1, {"wait": 2.0, "network": 7.0})
        assert await shim.message("GET", "/portal/v1/timeline?id=nope") == "Not found"
        assert (await shim.message("GET", "/portal/v1/timeline")).startswith("id: is required")


async def test_one_node() -> None:
    async with rig() as shim:
        id_ = await runs(shim)
        shim.services.history.take_usages()
        found = await shim.body("GET", "/portal/v1/nodes/history?id=mac-1")
        (past,) = found["instances"]
        assert (past["id"], past["result"], past["template"], past["tag"]) == (id_, "Started", "macos", "v2")
        assert [row[1:] for row in found["usage"]] == [[1, 0, 0]]
        assert await shim.message("GET", "/portal/v1/nodes/history?id=nope") == "Not found"


class MayListNodes(OpenAccess):
    async def admit(self, scope: Scope, right: Right) -> Principal:
        if right is not Right.LIST_NODES:
            raise Failure("Not authorized to perform this request", code=403)
        return Principal("me")


async def test_a_node_s_history_names_instances() -> None:
    async with rig(policy=MayListNodes()) as shim:
        assert (await shim.http.get("/portal/v1/nodes/history?id=mac-1")).status_code == 403
        assert (await shim.http.get("/api/v1/node")).status_code == 200
