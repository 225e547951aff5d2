"""/api/v1/macaddr, and mac_address of a start while addresses are managed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from support.shim_rig import TEMPLATE, Rig, rig

PATH = "/api/v1/macaddr"
OFF = "MAC addresses are not managed"
ADDRESS = "02:00:00:00:00:02"


async def put_pool(shim: Rig) -> None:
    ranges = [{"first": "02:00:00:00:00:01", "last": "02:00:00:00:00:05"}]
    shim.api.put("macaddresspools", "pool", "", spec={"ranges": ranges})
    await shim.services.stores.pools.wait_for(lambda store: store.get("pool"), 5)


async def put_running(shim: Rig, name: str, address: str) -> str:
    """Its id in REST."""
    status = {"phase": "Started", "nodeName": "mac-1", "macAddress": address}
    shim.api.put("ankainstances", name, "anka-ci", spec={"template": TEMPLATE}, status=status)
    stores = shim.services.stores
    found = await stores.instances.wait_for(lambda store: store.get(name, "anka-ci"), 5)
    return stores.id_of(found)


@pytest.fixture
async def shim() -> AsyncIterator[Rig]:
    async with rig(manage_mac_addresses=True) as made:
        await put_pool(made)
        yield made


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
@pytest.mark.parametrize("on", [True, False])
async def test_without_the_flag_or_without_pools_nothing_is_managed(method: str, on: bool) -> None:
    async with rig(manage_mac_addresses=on) as made:
        assert await made.message(method, PATH, params={"count": 1} if method == "GET" else {}) == OFF
        assert len((await made.start(mac_address=ADDRESS, count=2))["body"]) == 2


async def test_numbers_and_lists(shim: Rig) -> None:
    await put_running(shim, "one", ADDRESS)
    assert await shim.body("GET", f"{PATH}?count=1") == 4
    assert await shim.body("GET", f"{PATH}?count=1&in_use=1") == 1
    assert await shim.body("GET", f"{PATH}?in_use=1") == [ADDRESS]
    assert await shim.body("GET", f"{PATH}?limit=2") == ["02:00:00:00:00:01", "02:00:00:00:00:03"]
    assert await shim.body("GET", f"{PATH}?limit=500&last=02:00:00:00:00:03") == [
        "02:00:00:00:00:04", "02:00:00:00:00:05",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("", "count, in_use or limit: one of them is required"),
        ("limit=0", "limit: must be from 1 to 10000 (given: 0)"),
        ("limit=10001", "limit: must be from 1 to 10000 (given: 10001)"),
        ("limit=x", "limit: must be an integer (given: 'x')"),
        ("limit=1&last=x", "last: must be a MAC address: six bytes with ':' between them (given: 'X')"),
        ("count=7", "count: must be true or false (given: '7')"),
    ],
)
async def test_questions_that_make_no_sense(shim: Rig, query: str, words: str) -> None:
    assert await shim.message("GET", f"{PATH}?{query}") == words


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
async def test_filling_and_emptying_change_nothing(shim: Rig, method: str) -> None:
    await put_running(shim, "one", ADDRESS)
    assert await shim.call(method, PATH) == {"status": "OK", "message": ""}
    assert await shim.body("GET", f"{PATH}?in_use=1") == [ADDRESS]


async def test_an_address_that_an_instance_has_is_refused(shim: Rig) -> None:
    id_ = await put_running(shim, "one", ADDRESS)
    answer = await shim.start(mac_address=ADDRESS)
    assert answer == {
        "status": "FAIL", "message": f"mac_address: is used by instance {id_} (given: '{ADDRESS}')",
    }  # fmt: skip
    assert shim.api.count("create") == 0


async def test_one_that_was_asked_for_a_moment_ago_is_refused_too(shim: Rig) -> None:
    (id_,) = (await shim.start(mac_address=ADDRESS.lower()))["body"]
    assert id_ in (await shim.start(mac_address=ADDRESS))["message"]
    assert await shim.body("GET", f"{PATH}?in_use=1") == [ADDRESS]


async def test_a_repeat_of_the_same_request_is_no_second_one(shim: Rig) -> None:
    asked: dict[str, Any] = {"json": {"vmid": TEMPLATE, "mac_address": ADDRESS}, "headers": {"Idempotency-Key": "k"}}
    ids = await shim.body("POST", "/api/v1/vm", **asked)
    assert await shim.body("POST", "/api/v1/vm", **asked) == ids


async def test_several_cannot_have_one_address(shim: Rig) -> None:
    answer = await shim.start(mac_address=ADDRESS, count=2)
    assert answer["message"] == "count: must be 1 with a mac_address, which only one instance can have (given: 2)"
    assert len((await shim.start(count=2))["body"]) == 2
