"""When an instance that ends already, or is not in the cache, is deleted."""

from __future__ import annotations

import base64
import json
import uuid
from typing import Any

import pytest

from support.shim_rig import TEMPLATE, rig

PATH = "/api/v1/vm"


async def test_an_instance_is_deleted_once() -> None:
    async with rig() as shim:
        (id_,) = (await shim.start())["body"]
        for _ in range(2):
            assert await shim.call("DELETE", PATH, json={"id": id_}) == {"status": "OK", "message": ""}
        assert shim.api.count("delete") == 1


@pytest.mark.parametrize(("id_", "deletes"), [("no-uuid", 0), (str(uuid.UUID(int=7, version=4)), 1)])
async def test_only_a_uuid_that_is_not_in_the_cache_is_looked_for_in_the_api(id_: str, deletes: int) -> None:
    async with rig() as shim:
        assert await shim.message("DELETE", PATH, json={"id": id_}) == "Not found"
        assert shim.api.count("delete") == deletes


async def test_another_controllers_instances_are_not_there() -> None:
    async with rig() as shim:
        id_, stores = str(uuid.UUID(int=8, version=4)), shim.services.stores
        spec = {"template": TEMPLATE, "managedBy": "example.com/other"}
        shim.api.put("ankainstances", id_, "anka-ci", spec=spec)
        await stores.instances.wait_for_delivery(lambda: stores.instances.passes_over(("anka-ci", id_)), 5)
        assert await shim.body("GET", PATH) == []
        for method, path in (("GET", f"{PATH}?id={id_}"), ("DELETE", PATH), ("POST", "/api/v1/rpc/vm/restart")):
            asked = {} if method == "GET" else {"json": {"id": id_}}
            assert await shim.message(method, path, **asked) == "Not found"
        assert shim.api.count("delete") + shim.api.count("patch") == 0


SCRIPT = base64.b64encode(b"x" * 30_000).decode()


async def test_a_request_stores_no_more_than_it_may_send() -> None:
    async with rig() as shim:
        large = {"metadata": {f"key-{number}": "x" * 4000 for number in range(10)}}
        assert len((await shim.start(count=20, **large))["body"]) == 20
        said = (await shim.start(count=30, **large))["message"]
        assert said.startswith("count: 30 such instances are 12")
        assert said.endswith("and one request may store 1048576: ask for fewer at a time, or give each less")
        assert len((await shim.start(count=100, startup_script=SCRIPT))["body"]) == 100, "a script is stored once"
        (secret,) = shim.api.objects["secrets"].values()
        assert secret["data"] == {"script": SCRIPT}
        assert len(secret["metadata"]["ownerReferences"]) == 100
        stored = sum(len(json.dumps(one)) for one in shim.api.objects["ankainstances"].values())
        assert stored < 20 * 42_000 + 100 * 1500


@pytest.mark.parametrize(
    ("limits", "told"),
    [
        ({"max_waiting": 3}, "too many instances wait for a Mac: 3, "),
        ({"max_waiting_per_client": 3}, "too many instances of 127.0.0.1 wait for a Mac: 3, "),
        ({"max_stored_bytes": 10_000}, "too much is stored: "),
    ],
)
async def test_what_is_too_much_for_all_is_refused_until_something_ends(limits: dict[str, Any], told: str) -> None:
    async with rig(**limits) as shim:
        ids = (await shim.start(count=3))["body"]
        assert (await shim.start())["message"].startswith(told)
        assert len(shim.api.objects["ankainstances"]) == 3
        await shim.body("DELETE", PATH, json={"id": ids[0]})
        shim.api.remove("ankainstances", ids[0], "anka-ci")
        await shim.services.stores.instances.wait_for(lambda store: store.get(ids[0], "anka-ci") is None, 60)
        assert (await shim.start())["status"] == "OK"


async def test_a_repeat_gets_its_ids_although_no_more_may_wait() -> None:
    async with rig(max_waiting=2) as shim:
        request = {"json": {"vmid": TEMPLATE, "count": 2}, "headers": {"Idempotency-Key": "k"}}
        ids = await shim.body("POST", PATH, **request)
        assert await shim.body("POST", PATH, **request) == ids


@pytest.mark.parametrize("request_", [("/api/v1/group", {"name": "x"}), ("/api/v1/vm", {"vmid": TEMPLATE})])
async def test_nothing_is_made_when_there_is_no_room(request_: tuple[str, dict[str, str]]) -> None:
    path, body = request_
    async with rig(max_stored_bytes=2048) as shim:
        assert (await shim.message("POST", path, json=body)).startswith("too much is stored: ")


@pytest.mark.parametrize(
    ("settings", "limits"),
    [
        ({}, (None, None)),
        ({"finished_seconds": 600, "lifetime_seconds": 7200}, (600, 7200)),
        ({"finished_seconds": 600}, (600, None)),
    ],
)
async def test_what_rest_makes_may_have_lifetimes(
    settings: dict[str, Any], limits: tuple[int | None, int | None]
) -> None:
    async with rig(**settings) as shim:
        (id_,) = (await shim.start())["body"]
        (spec,) = [one["spec"] for (_, name), one in shim.api.objects["ankainstances"].items() if name == id_]
        assert (spec.get("ttlSecondsAfterFinished"), spec.get("maxLifetimeSeconds")) == limits
