from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from anka_crds.rules.naming import is_uuid
from anka_shim.group.answer import GroupListOk, GroupOk
from support.scripted_api import Fault
from support.shim_rig import TIMES, Rig, rig

GROUP = "/api/v1/group"
MEMBERS = "/api/v1/node/group"


async def create(shim: Rig, **parameters: Any) -> str:
    return str((await shim.body("POST", GROUP, json=parameters))["id"])


def groups_of(shim: Rig, node: str = "mac-1") -> Any:
    return shim.api.objects["ankanodes"][("", node)]["spec"]["groups"]


async def test_a_life() -> None:
    async with rig() as shim:
        # As curl sends it.
        raw, form = json.dumps({"name": "Great é"}), {"Content-Type": "application/x-www-form-urlencoded"}
        answer = await shim.call("POST", GROUP, content=raw, headers=form)
        GroupOk.model_validate(answer)
        id_ = answer["body"]["id"]
        assert is_uuid(id_)
        assert answer["body"] == {"id": id_, "name": "Great é", "description": "", "fallback_group_id": None}
        listed = await shim.call("GET", GROUP)
        GroupListOk.model_validate(listed)
        assert [group["id"] for group in listed["body"]] == ["ios", id_]
        change = {"description": "d", "fallback_group_id": "iOS builds"}
        assert await shim.call("PUT", f"{GROUP}?id={id_}", json=change) == {"status": "OK", "message": ""}
        assert shim.api.objects["nodegroups"][("", id_)]["spec"] == {
            "displayName": "Great é",
            "description": "d",
            "fallbackGroup": "ios",
        }
        await shim.body("PUT", GROUP, json={"id": id_, "fallback_group_id": None})
        assert "fallbackGroup" not in shim.api.objects["nodegroups"][("", id_)]["spec"]
        assert await shim.call("DELETE", f"{GROUP}?id={id_}") == {"status": "OK", "message": ""}
        assert [group["id"] for group in await shim.body("GET", GROUP)] == ["ios"]
        assert await shim.message("DELETE", f"{GROUP}?id={id_}") == "Not found"
        assert await shim.message("PUT", f"{GROUP}?id={id_}", json={"name": "x"}) == "Not found"
        assert await shim.message("DELETE", GROUP) == "id: is required, the id of a group"


def put(shim: Rig, spec: dict[str, Any]) -> None:
    shim.api.put("ankanodes", "mac-2", "", spec=spec, status={"state": "Active"}, metadata=TIMES)


async def test_objects_that_name_a_group_as_people_do() -> None:
    async with rig() as shim:
        spec = {"displayName": "Mac Two", "groups": ["iOS builds", "gone"]}
        put(shim, spec)
        await shim.services.stores.nodes.wait_for(lambda nodes: nodes.get("mac-2"), 20)
        (seen,) = await shim.body("GET", "/api/v1/node?id=mac-2")
        assert [(group["id"], group["name"]) for group in seen["groups"]] == [("ios", "iOS builds"), ("gone", "gone")]
        id_ = await create(shim, name="more")
        await shim.body("POST", MEMBERS, json={"group_ids": ["more"], "node_ids": ["Mac Two"]})
        assert groups_of(shim, "mac-2") == ["ios", "gone", id_]
        put(shim, spec)
        await shim.body("DELETE", MEMBERS, json={"group_ids": ["iOS builds"], "node_ids": ["mac-2"]})
        assert groups_of(shim, "mac-2") == ["gone"]


async def test_names_are_unique_also_in_a_race() -> None:
    async with rig() as shim:
        answers = await asyncio.gather(*(shim.call("POST", GROUP, json={"name": "one"}) for _ in range(5)))
        assert sorted(answer["status"] for answer in answers) == ["FAIL"] * 4 + ["OK"]
        assert await shim.message("POST", GROUP, json={"name": "iOS builds"}) == (
            "name: group ios is called so already (given: 'iOS builds')"
        )


async def test_nodes_come_and_go() -> None:
    async with rig() as shim:
        id_ = await create(shim, name="new")
        await shim.body("POST", MEMBERS, json={"group_ids": [id_], "node_ids": ["mac-1"]})
        assert groups_of(shim) == ["ios", id_]
        (node,) = await shim.body("GET", "/api/v1/node")
        assert [group["name"] for group in node["groups"]] == ["iOS builds", "new"]
        writes = shim.api.count("patch")
        await shim.body("POST", MEMBERS, json={"group_ids": [id_, "ios"], "node_ids": ["mac-1"]})
        await shim.body("DELETE", MEMBERS, json={"group_ids": ["other"], "node_ids": ["mac-1"]})
        assert shim.api.count("patch") == writes
        await shim.body("DELETE", MEMBERS, json={"group_ids": ["ios"], "node_ids": ["mac-1"]})
        assert groups_of(shim) == [id_]


async def test_deleting_a_group_takes_it_out_of_nodes_and_fallbacks() -> None:
    async with rig() as shim:
        other = await create(shim, name="other", fallback_group_id="ios")
        await shim.body("DELETE", f"{GROUP}?id=ios")
        assert groups_of(shim) == []
        assert "fallbackGroup" not in shim.api.objects["nodegroups"][("", other)]["spec"]
        assert [group["id"] for group in await shim.body("GET", GROUP)] == [other]


async def test_a_change_by_somebody_else_is_kept() -> None:
    async with rig() as shim:
        id_ = await create(shim, name="new")
        shim.api.stall()
        shim.api.put("ankanodes", "mac-1", "", spec={"groups": ["ios", "theirs"]})
        await shim.body("POST", MEMBERS, json={"group_ids": [id_], "node_ids": ["mac-1"]})
        assert groups_of(shim) == ["ios", "theirs", id_]


async def test_what_another_replica_made_a_moment_ago_can_be_changed() -> None:
    async with rig() as shim:
        shim.api.stall()
        for name in ("new", "old"):
            shim.api.put("nodegroups", name, "", spec={"displayName": name})
        shim.api.put("ankanodes", "mac-2", "", spec={})
        assert shim.services.stores.group("new") is None
        await shim.body("PUT", f"{GROUP}?id=new", json={"description": "d"})
        await shim.body("DELETE", f"{GROUP}?id=old")
        await shim.body("POST", "/api/v1/node/config", json={"node_id": "mac-2", "name": "Two"})
        assert shim.api.objects["nodegroups"][("", "new")]["spec"] == {"displayName": "new", "description": "d"}
        assert ("", "old") not in shim.api.objects["nodegroups"]
        assert shim.api.objects["ankanodes"][("", "mac-2")]["spec"] == {"displayName": "Two"}


@pytest.mark.parametrize("id_", ["..", "a/b", "A", "", "x" * 300, "a?b"])
async def test_the_api_is_asked_for_nothing_that_can_not_be_a_name(id_: str) -> None:
    async with rig() as shim:
        asked = len(shim.api.seen)
        answer = await shim.call("DELETE", GROUP, params={"id": id_})
        assert answer["message"] == ("Not found" if id_ else "id: is required, the id of a group")
        assert len(shim.api.seen) == asked


async def test_what_went_away_meanwhile() -> None:
    async with rig() as shim:
        shim.api.stall()
        shim.api.remove("ankanodes", "mac-1", "")
        members = {"group_ids": ["ios"], "node_ids": ["mac-1"]}
        await shim.body("DELETE", MEMBERS, json=members)
        other = await create(shim, name="other")
        assert await shim.message("POST", MEMBERS, json={**members, "group_ids": [other]}) == "Not found"
        await shim.body("DELETE", f"{GROUP}?id=ios")
        shim.api.remove("nodegroups", other, "")
        assert await shim.message("PUT", f"{GROUP}?id={other}", json={"name": "x"}) == "Not found"
        await shim.body("DELETE", f"{GROUP}?id={other}")


@pytest.mark.parametrize(
    ("verb", "method", "path", "options", "says"),
    [
        ("create", "POST", GROUP, {"json": {"name": "x"}}, "cannot create the group: "),
        ("patch", "PUT", f"{GROUP}?id=ios", {"json": {"name": "x"}}, "cannot update the group: "),
        ("patch", "DELETE", f"{GROUP}?id=ios", {}, "cannot delete the group: "),
        ("delete", "DELETE", f"{GROUP}?id=ios", {}, "cannot delete the group: "),
        (
            "patch",
            "DELETE",
            MEMBERS,
            {"json": {"group_ids": ["ios"], "node_ids": ["mac-1"]}},
            "cannot remove node mac-1 ",
        ),
    ],
)
async def test_what_the_api_refuses_is_told(verb: str, method: str, path: str, options: Any, says: str) -> None:
    async with rig() as shim:
        shim.api.fail(verb, Fault(403, "may not", "Forbidden"))
        message = await shim.message(method, path, **options)
        assert message.startswith(says)
        assert message.endswith("may not")
        # The group is still there, and the same request works once the trouble is over.
        assert len(await shim.body("GET", GROUP)) == 1
        assert (await shim.call(method, path, **options))["status"] == "OK"


async def test_before_the_caches_are_read_nothing_is_said() -> None:
    async with rig(synced=False) as shim:
        for method, path in (("GET", GROUP), ("POST", GROUP), ("DELETE", f"{GROUP}?id=ios"), ("POST", MEMBERS)):
            assert (await shim.message(method, path)).startswith("starting up")
