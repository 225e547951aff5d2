"""Reads from the store, guarded writes through the API, and what a refused write leads to."""

from __future__ import annotations

import pytest

from anka_kube.cached_client import CachedClient
from anka_kube.client import KubeClient
from anka_kube.errors import ApiError, Conflict
from anka_kube.store import Store
from anka_kube.unstructured import Unstructured, raw_resource
from support.scripted_api import Fault, ScriptedApi

THINGS = raw_resource("example.com", "v1", "things", "Thing", namespaced=True)


@pytest.fixture
def things(client: KubeClient) -> CachedClient[Unstructured]:
    return CachedClient(client, Store(THINGS))


@pytest.fixture
def thing(api: ScriptedApi, things: CachedClient[Unstructured]) -> Unstructured:
    made = Unstructured.parse(api.put("things", "a", status={"phase": "New", "owner": "me"}))
    things.store.apply_written(made)
    return made


def phase(things: CachedClient[Unstructured]) -> str | None:
    found = things.store.get("a", "default")
    return None if found is None else str(found.raw["status"]["phase"])


async def test_writes_are_in_the_store_and_guarded(
    api: ScriptedApi, things: CachedClient[Unstructured], thing: Unstructured
) -> None:
    await things.patch_status(thing, {"phase": "Started"})
    assert phase(things) == "Started"
    with pytest.raises(Conflict):
        await things.patch_status(thing, {"phase": "Error"})
    with pytest.raises(Conflict):
        await things.patch(thing, {"spec": {"size": 2}})
    assert phase(things) == "Started"


async def test_the_api_itself_is_listed(
    api: ScriptedApi, things: CachedClient[Unstructured], thing: Unstructured
) -> None:
    api.put("things", "b")
    assert [one.metadata.name for one in await things.list("status.owner=me")] == ["a", "b"]
    assert api.seen[-1].query["fieldSelector"] == "status.owner=me"
    assert len(things.store) == 1, "a list that only one caller asked for is no state of the cache"


async def test_reread_brings_what_others_wrote(
    api: ScriptedApi, things: CachedClient[Unstructured], thing: Unstructured
) -> None:
    api.put("things", "a", status={"phase": "Changed"})
    assert await things.reread(thing)
    assert phase(things) == "Changed"


async def test_reread_of_what_the_store_has_already_asks_for_a_pause(
    things: CachedClient[Unstructured], thing: Unstructured
) -> None:
    await things.patch_status(thing, {"phase": "Started"})
    assert not await things.reread(thing)
    assert phase(things) == "Started"


@pytest.mark.parametrize("how", ["deleted", "replaced", "another's"])
async def test_reread_drops_what_is_ours_no_longer(
    api: ScriptedApi, things: CachedClient[Unstructured], thing: Unstructured, how: str
) -> None:
    if how != "another's":
        api.remove("things", "a")
    if how == "replaced":
        api.put("things", "a", metadata={"uid": "uid-2"}, status={"phase": "New"})
    if how == "another's":
        api.put("things", "a", status={"phase": "New", "owner": "you"})
    assert await things.reread(thing, lambda fresh: fresh.raw["status"].get("owner") == "me")
    assert phase(things) is None


async def test_reread_while_the_api_is_away(
    api: ScriptedApi, things: CachedClient[Unstructured], thing: Unstructured
) -> None:
    api.fail("get", Fault(500, "InternalError"), times=100)
    with pytest.raises(ApiError):
        await things.reread(thing)
    api.heal()
    assert phase(things) == "New"
