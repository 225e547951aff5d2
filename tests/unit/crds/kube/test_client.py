from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import pytest

from anka_crds.kube.client import KubeClient
from anka_crds.kube.config import Endpoint
from anka_crds.kube.credentials import TokenFile
from anka_crds.kube.errors import (
    AlreadyExists,
    ApiError,
    Conflict,
    Forbidden,
    Gone,
    NotFound,
    ServerError,
    TooManyRequests,
    Unauthorized,
    Unparsable,
    Unreachable,
)
from anka_crds.kube.resource import Resource
from anka_crds.kube.unstructured import Meta, Unstructured, unstructured
from support.manual_clock import ManualClock
from support.scripted_api import Fault, ScriptedApi

THINGS = unstructured("example.com", "v1", "things", "Thing", namespaced=True)
NEW = Unstructured(Meta("a", "ns"), {"metadata": {"name": "a", "namespace": "ns"}, "spec": {"size": 1}})


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
        left = await client.delete(THINGS, "a", "ns", propagation="Foreground")
        assert left is not None
        assert "deletionTimestamp" in left.raw["metadata"]
        assert api.seen[-1].body["propagationPolicy"] == "Foreground"

    async def test_json_patch_is_sent_as_such(self, api: ScriptedApi, client: KubeClient) -> None:
        api.fail("patch", Fault(422, "test failed", "Invalid"))
        operations = [{"op": "test", "path": "/x", "value": 1}]
        with pytest.raises(ApiError, match="422 Invalid: test failed"):
            await client.json_patch(THINGS, "a", operations, "ns")
        assert api.seen[-1].body == operations
        assert api.seen[-1].headers["Content-Type"] == "application/json-patch+json"

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

    async def test_redirects_are_not_followed(self, api: ScriptedApi, client: KubeClient) -> None:
        api.fail("get", Fault(302, "elsewhere"))
        with pytest.raises(ApiError, match="302"):
            await client.get(THINGS, "a", "ns")


async def test_a_refusal_that_comes_in_pieces_is_read_whole() -> None:
    body = b'{"kind": "Status", "code": 403, "reason": "Forbidden", "message": "policy says no"}'

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: %d\r\n\r\n" % len(body) + body[:20])
        await writer.drain()
        # Nothing tells that the other side has read the first piece: it has a moment for it.
        await asyncio.sleep(0.05)
        writer.write(body[20:])
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server, KubeClient(Endpoint(url)) as client:
        with pytest.raises(Forbidden) as refused:
            await client.get(THINGS, "a", "ns")
    assert refused.value.message == "policy says no"


class TestRetries:
    async def test_reads_go_on_until_the_deadline(
        self, api: ScriptedApi, client: KubeClient, clock: ManualClock
    ) -> None:
        api.fail("get", Fault(500), times=1000)
        with pytest.raises(ServerError):
            await client.get(THINGS, "a", "ns", deadline=30)
        assert 20 < sum(clock.naps) < 30
        assert api.count("get") == len(clock.naps) + 1

    async def test_reads_recover(self, api: ScriptedApi, client: KubeClient, clock: ManualClock) -> None:
        api.put("things", "a", "ns")
        for status in (500, 503, 429):
            api.fail("get", Fault(status))
        assert (await client.get(THINGS, "a", "ns")).metadata.name == "a"
        assert len(clock.naps) == 3

    async def test_retry_after_is_honoured(self, api: ScriptedApi, client: KubeClient, clock: ManualClock) -> None:
        api.fail("create", Fault(429, retry_after=7))
        await client.create(THINGS, NEW)
        assert len(clock.naps) == 1
        assert clock.naps[0] >= 7

    async def test_a_retry_after_beyond_the_deadline_is_not_waited_for(
        self, api: ScriptedApi, client: KubeClient, clock: ManualClock
    ) -> None:
        api.fail("create", Fault(429, retry_after=60))
        with pytest.raises(TooManyRequests) as caught:
            await client.create(THINGS, NEW, deadline=10)
        assert caught.value.retry_after == 60
        assert clock.naps == []

    @pytest.mark.parametrize("fault", [Fault(500), Fault(503), Fault(504), Fault(200, drop=True)])
    async def test_writes_that_may_have_happened_are_not_repeated(
        self, api: ScriptedApi, client: KubeClient, fault: Fault
    ) -> None:
        api.fail("create", fault)
        with pytest.raises((ServerError, Unreachable)) as caught:
            await client.create(THINGS, NEW)
        assert not caught.value.surely_not_applied
        assert api.count("create") == 1

    async def test_a_write_that_surely_did_nothing_is_repeated(self, api: ScriptedApi, client: KubeClient) -> None:
        api.fail("create", Fault(503, retry_after=1), times=2)
        await client.create(THINGS, NEW)
        assert api.count("create") == 3

    async def test_refused_connections_are_repeated_and_then_told_in_one_line(self, clock: ManualClock) -> None:
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            url = f"http://127.0.0.1:{unused.getsockname()[1]}"
            async with KubeClient(Endpoint(url), clock, sleep=clock.sleep) as client:
                with pytest.raises(Unreachable, match=r"^create /apis/.*: Unreachable: Cannot connect") as caught:
                    await client.create(THINGS, NEW, deadline=3)
        assert caught.value.surely_not_applied
        assert clock.naps

    async def test_an_answer_that_never_comes_ends_at_the_deadline(self, client: KubeClient) -> None:
        over = asyncio.Event()

        async def hold(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await over.wait()
            writer.close()

        silent = await asyncio.start_server(hold, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{silent.sockets[0].getsockname()[1]}"
        async with silent, KubeClient(Endpoint(url)) as patient:
            with pytest.raises(Unreachable, match="no answer in time"):
                await patient.patch(THINGS, "a", {}, "ns", deadline=0.1)
            over.set()


class TestCredentials:
    async def test_a_rotated_token_is_read_again_at_once_after_401(
        self, api: ScriptedApi, clock: ManualClock, tmp_path: Path
    ) -> None:
        file = tmp_path / "token"
        file.write_text("old\n")
        api.token = "old"
        api.put("things", "a", "ns")
        endpoint = Endpoint(api.url, TokenFile(file, clock))
        async with KubeClient(endpoint, clock, sleep=clock.sleep) as client:
            await client.get(THINGS, "a", "ns")
            api.token = "new"
            file.write_text("new")
            await client.patch(THINGS, "a", {"spec": {}}, "ns")
        assert [seen.authorization for seen in api.seen] == ["Bearer old", "Bearer old", "Bearer new"]
        assert clock.naps == []

    async def test_wrong_credentials_are_told_not_hammered(self, api: ScriptedApi, client: KubeClient) -> None:
        api.token = "secret"
        with pytest.raises(Unauthorized):
            await client.get(THINGS, "a", "ns")
        assert len(api.seen) == 2


async def test_outside_of_its_context_it_says_so() -> None:
    with pytest.raises(RuntimeError, match="context manager"):
        await KubeClient(Endpoint("http://127.0.0.1:1")).get(THINGS, "a", "ns")
