"""Writes to objects without a namespace, whatever other clients do meanwhile."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest

from anka_crds.api import NodeGroup
from anka_crds.resources import GROUPS
from anka_kube.client import KubeClient
from anka_kube.endpoint import Endpoint
from anka_kube.store import Store
from anka_shim.failure import Failure
from anka_shim.store.object_writer import ObjectWriter
from anka_shim.store.storage_budget import StorageBudget
from anka_shim.store.writes import WriteCoordinator
from support.scripted_api import Fault, ScriptedApi

KIND = "nodegroups"


@dataclass
class Desk:
    api: ScriptedApi
    store: Store[NodeGroup]
    writer: ObjectWriter[NodeGroup]

    def put(self, name: str, **spec: Any) -> None:
        self.api.put(KIND, name, "", apiVersion="anka.veertu.com/v1alpha1", spec=spec)

    async def cached(self, name: str) -> NodeGroup:
        return await self.writer.find(name, action="read it")

    def spec(self, name: str) -> Any:
        return self.api.objects[KIND]["", name]["spec"]


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    async with ScriptedApi().serve() as api, KubeClient(Endpoint(api.url)) as client:
        store = Store(GROUPS)
        yield Desk(api, store, ObjectWriter(client, store, WriteCoordinator(5), StorageBudget((store,), 1 << 20)))


async def test_find_reads_the_api_for_what_another_replica_has_just_made(desk: Desk) -> None:
    desk.put("ios", displayName="iOS")
    assert (await desk.cached("ios")).spec.display_name == "iOS"
    reads = desk.api.count("get")
    assert (await desk.cached("ios")).metadata.name == "ios"
    assert desk.api.count("get") == reads, "from the cache now"
    for name in ("none", "Not A Name", "../nodes"):
        with pytest.raises(Failure, match="Not found"):
            await desk.cached(name)
    assert desk.api.count("get") == reads + 1, "only a possible name is asked for"


async def test_create_and_merge_are_read_at_once(desk: Desk) -> None:
    body = {"metadata": {"name": "ios"}, "spec": {"displayName": "iOS"}}
    await desk.writer.create(body, action="create the group")
    await desk.writer.merge("ios", {"description": "new"}, action="change the group")
    found = desk.store.get("ios")
    assert found is not None
    assert found.spec.description == "new"
    with pytest.raises(Failure, match="Not found"):
        await desk.writer.merge("none", {"description": "new"}, action="change the group")


async def test_rewrite_sees_what_another_client_wrote(desk: Desk) -> None:
    desk.put("ios", displayName="1")
    await desk.cached("ios")
    desk.put("ios", displayName="2")

    def append(group: NodeGroup) -> dict[str, Any] | None:
        return {"spec": {"displayName": f"{group.spec.display_name}+"}}

    assert await desk.writer.rewrite("ios", append, action="change the group")
    assert desk.spec("ios")["displayName"] == "2+"
    patches = desk.api.count("patch")
    assert await desk.writer.rewrite("ios", lambda _: None, action="change the group")
    assert desk.api.count("patch") == patches, "nothing to do"
    desk.api.remove(KIND, "ios", "")
    assert not await desk.writer.rewrite("ios", append, action="change the group")


async def test_remove_is_of_this_very_object(desk: Desk) -> None:
    desk.put("ios")
    old = await desk.cached("ios")
    desk.api.remove(KIND, "ios", "")
    desk.put("ios", displayName="another of this name")
    await desk.writer.remove(old, action="delete the group")
    assert ("", "ios") in desk.api.objects[KIND]


@pytest.mark.parametrize(
    ("call", "verb"),
    [("find", "get"), ("create", "create"), ("merge", "patch"), ("rewrite", "patch"), ("remove", "delete")],
)
async def test_a_failure_says_what_could_not_be_done(desk: Desk, call: str, verb: str) -> None:
    desk.put("ios")
    group = await desk.cached("ios")
    desk.api.fail(verb, Fault(403, "no rights"))
    calls: dict[str, Callable[[], Awaitable[object]]] = {
        "find": lambda: desk.writer.find("other", action="do it"),
        "create": lambda: desk.writer.create({"metadata": {"name": "x"}}, action="do it"),
        "merge": lambda: desk.writer.merge("ios", {"description": "new"}, action="do it"),
        "rewrite": lambda: desk.writer.rewrite("ios", lambda _: {}, action="do it"),
        "remove": lambda: desk.writer.remove(group, action="do it"),
    }
    with pytest.raises(Failure, match=r"cannot do it: not allowed: no rights"):
        await calls[call]()
