from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from anka_kube.client import KubeClient
from anka_kube.errors import (
    AlreadyExists,
    Conflict,
    Gone,
    NotFound,
    ServerError,
    Unparsable,
    Unreachable,
)
from anka_kube.resource import Resource
from anka_kube.unstructured import Meta, Unstructured, raw_resource
from support.manual_clock import ManualClock
from support.scripted_api import Fault, ScriptedApi

THINGS = raw_resource("example.com", "v1", "things", "Thing", namespaced=True)
NEW = Unstructured(Meta("a", "ns"), {"metadata": {"name": "a", "namespace": "ns"}, "spec": {"size": 1}})


async def read_pages(client: KubeClient, resource: Resource[Unstructured], *, deadline: float) -> int:
    return len([page async for page in client.list_pages(resource, deadline=deadline)])


class TestVerbs:
    async def test_life_of_an_object(self, api: ScriptedApi, client: KubeClient) -> None:
        created = await client.create(THINGS, NEW)
        assert created.metadata.uid == "uid-1"
        body = api.seen[-1].body
        assert (body["apiVersion"], body["kind"]) == ("example.com/v1", "Thing")
        assert api.seen[-1].path == "/apis/example.com/v1/namespaces/ns/things"
        patched = await client.patch(THINGS, "a", {"spec": {"size": 2}}, "ns")
        assert patched.raw["spec"] == {"size": 2}
        assert api.seen[-1].headers["Content-Type"] == "application/merge-patch+json"
        replaced = await client.replace(THINGS, {**patched.raw, "spec": {"size": 3}})
        assert (await client.get(THINGS, "a", "ns")).raw == replaced.raw
        assert await client.delete(THINGS, "a", "ns", uid="uid-1") is None
        with pytest.raises(
            NotFound, match=r'get /apis/example.com/v1/namespaces/ns/things/a: 404 NotFound: things "a"'
        ):
            await client.get(THINGS, "a", "ns")

    async def test_guards(self, client: KubeClient) -> None:
        created = await client.create(THINGS, NEW)
        version = created.metadata.resource_version
        await client.patch(THINGS, "a", {"spec": {"size": 2}}, "ns", subresource="status", resource_version=version)
        with pytest.raises(Conflict):
            await client.patch(THINGS, "a", {"spec": {"size": 3}}, "ns", resource_version=version)
        with pytest.raises(Conflict):
            await client.replace(THINGS, created)
        with pytest.raises(Conflict):
            await client.delete(THINGS, "a", "ns", uid="another")
        with pytest.raises(AlreadyExists):
            await client.create(THINGS, NEW)

    async def test_delete_of_a_finalized_object_returns_it(self, api: ScriptedApi, client: KubeClient) -> None:
        api.put("things", "a", "ns", metadata={"finalizers": ["x"]})
        left = await client.delete(THINGS, "a", "ns")
        assert left is not None
        assert "deletionTimestamp" in left.raw["metadata"]

    async def test_lists_are_read_in_pages_as_of_one_version(self, api: ScriptedApi, client: KubeClient) -> None:
        for number in range(7):
            api.put("things", f"t{number}", "ns")
        api.put("things", "elsewhere", "other")
        listed = await client.list(THINGS, "ns", page_size=3, label_selector="a=b", field_selector="c=d")
        assert [obj.metadata.name for obj in listed.items] == [f"t{number}" for number in range(7)]
        assert listed.resource_version == str(api.version)
        assert [seen.query.get("continue") for seen in api.seen] == [None, "list-1/3", "list-1/6"]
        assert all(seen.query["labelSelector"] == "a=b" and seen.query["fieldSelector"] == "c=d" for seen in api.seen)
        assert len((await client.list(THINGS)).items) == 8

    async def test_an_expired_page_is_told(self, api: ScriptedApi, client: KubeClient) -> None:
        api.put("things", "a", "ns")
        api.put("things", "b", "ns")
        page = await client.list_page(THINGS, limit=1)
        api.compact()
        with pytest.raises(Gone):
            await client.list_page(THINGS, limit=1, more=page.more)

    @pytest.mark.parametrize(
        "read", [KubeClient.list, KubeClient.list_versions, read_pages], ids=lambda one: one.__name__
    )
    async def test_pages_that_each_come_just_in_time_end_at_the_deadline_of_all(
        self, api: ScriptedApi, client: KubeClient, clock: ManualClock, read: Callable[..., Awaitable[object]]
    ) -> None:
        page = Fault(200, body=b'{"metadata": {"continue": "and/so/on", "resourceVersion": "9"}, "items": []}')
        api.fail("list", page, times=100)
        api.listeners.append(lambda: clock.advance(9.0))
        with pytest.raises(Unreachable, match=r"^list /apis/.*: not all pages came within 30 s"):
            await read(client, THINGS, deadline=30)
        assert api.count("list") == 4

    async def test_a_page_has_its_own_deadline_too(
        self, api: ScriptedApi, client: KubeClient, clock: ManualClock
    ) -> None:
        api.fail("list", Fault(500), times=1000)
        with pytest.raises(ServerError):
            await read_pages(client, THINGS, deadline=600)
        assert 50 < sum(clock.naps) < 60


class TestAnswersThatMakeNoSense:
    @pytest.mark.parametrize("body", [b"<html>", b"[]", b"", b'{"kind": "Thing"}'])
    async def test_one_clear_error(self, api: ScriptedApi, client: KubeClient, body: bytes) -> None:
        api.fail("get", Fault(200, body=body))
        with pytest.raises(Unparsable, match=r"get /apis/example.com/v1/namespaces/ns/things/a: Unparsable: "):
            await client.get(THINGS, "a", "ns")

    async def test_a_model_that_refuses_the_object(self, api: ScriptedApi, client: KubeClient) -> None:
        def refuse(data: dict[str, object]) -> Unstructured:
            raise ValueError("size:\n  must be positive")

        picky = Resource("example.com", "v1", "things", "Thing", True, refuse, Unstructured.dump)
        api.put("things", "a", "ns")
        with pytest.raises(Unparsable, match="size: must be positive"):
            await client.get(picky, "a", "ns")

    @pytest.mark.parametrize("body", [b'{"metadata": {}, "items": 3}', b'{"metadata": [1], "items": []}'])
    async def test_a_list_that_is_none(self, api: ScriptedApi, client: KubeClient, body: bytes) -> None:
        api.fail("list", Fault(200, body=body))
        with pytest.raises(Unparsable, match="the answer is not a list"):
            await client.list(THINGS)
