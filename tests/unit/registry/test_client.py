"""The registry's client against a server that answers as told, and against the simulated registry."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer, unused_port

from anka_registry.client import RegistryClient
from anka_registry.errors import RegistryError, RegistryRefused
from anka_sim.registry import seed
from anka_sim.registry.server import serving


class Script:
    """Answers every request with `status` and `body`; remembers what was asked."""

    def __init__(self) -> None:
        self.status = 200
        self.body: Any = {"status": "OK", "message": "", "body": {}}
        self.silent = False
        self.asked: list[tuple[str, str]] = []
        self.url = ""

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append((request.method, request.path_qs))
        if self.silent:
            await asyncio.Event().wait()
        if isinstance(self.body, str):
            return web.Response(status=self.status, text=self.body)
        return web.json_response(self.body, status=self.status)

    def ok(self, body: Any) -> None:
        self.body = {"status": "OK", "message": "", "body": body}


@pytest.fixture
async def script() -> AsyncIterator[Script]:
    script = Script()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", script.answer)
    async with TestServer(app, skip_url_asserts=True) as server:
        script.url = str(server.make_url("/"))
        yield script


@pytest.fixture
async def client(script: Script) -> AsyncIterator[RegistryClient]:
    async with RegistryClient(script.url, timeout_seconds=60) as client:
        yield client


async def test_requests_and_answers(script: Script, client: RegistryClient) -> None:
    script.ok({"status": "Running", "version": "1.50.1"})
    assert (await client.status()).status == "Running"
    script.ok([{"id": "u", "name": "n", "size": 5}])
    assert [(row.id, row.name, row.size) for row in await client.templates()] == [("u", "n", 5)]
    script.ok({"id": "u", "name": "n", "versions": [{"number": 0, "tag": "v1"}]})
    assert (await client.template("u")).versions[0].tag == "v1"
    script.ok({"free": 1, "total": 2})
    disk = await client.disk()
    assert (disk.free, disk.total) == (1, 2)
    script.ok({"cpu": {"cores": 4}})
    assert (await client.info("u", tag="v 1"))["cpu"] == {"cores": 4}
    await client.info("u", version=0)
    await client.delete("u")
    await client.revert("u", number=0)
    await client.revert("u", tag="v1")
    assert script.asked == [
        ("GET", "/registry/status"),
        ("GET", "/registry/v2/vm"),
        ("GET", "/registry/v2/vm?id=u"),
        ("GET", "/registry/disk"),
        ("GET", "/registry/vm/info?id=u&tag=v+1"),
        ("GET", "/registry/vm/info?id=u&version=0"),
        ("DELETE", "/registry/vm?id=u"),
        ("DELETE", "/registry/revert?id=u&number=0"),
        ("DELETE", "/registry/revert?id=u&tag=v1"),
    ]


async def test_an_empty_registry_may_say_null(script: Script, client: RegistryClient) -> None:
    script.ok(None)
    assert await client.templates() == []


@pytest.mark.parametrize("word", ["FAIL", "ERROR"])
async def test_a_refusal_says_what_the_registry_said(script: Script, client: RegistryClient, word: str) -> None:
    script.body = {"status": word, "message": "no such\ntemplate"}
    with pytest.raises(RegistryRefused, match=r"^registry: template u: no such template$") as refused:
        await client.template("u")
    assert refused.value.message == "no such template"


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (200, "<html>", "the answer is not the registry's: is this the URL of an Anka registry"),
        (200, [], "the answer is not the registry's"),
        (502, "bad gateway", "HTTP 502: is this the URL"),
        (500, {"status": "OK", "body": []}, "list of templates: HTTP 500"),
        (401, {"status": "FAIL", "message": "Authentication Required"}, "Authentication Required"),
        (404, {"status": "FAIL"}, "HTTP 404"),
        (200, {"status": "OK", "body": {"x": 1}}, "valid list"),
    ],
)
async def test_trouble_is_one_line(script: Script, client: RegistryClient, status: int, body: Any, words: str) -> None:
    script.status, script.body = status, body
    with pytest.raises(RegistryError) as error:
        await client.templates()
    assert words in str(error.value)
    assert "\n" not in str(error.value)


async def test_what_cannot_be_read_is_left_out(script: Script, client: RegistryClient) -> None:
    script.body = {
        "status": "OK",
        "body": [{"id": "a"}, {"id": "../b"}, None, {"id": "c", "size": -1, "last_push": 1e300}],
    }
    assert [(one.id, one.name, one.size, one.last_push) for one in await client.templates()] == [
        ("a", "", 0, None), ("c", "", 0, None),
    ]  # fmt: skip


async def test_nobody_there() -> None:
    async with RegistryClient(f"http://127.0.0.1:{unused_port()}/") as client:
        with pytest.raises(RegistryError, match=r"^registry http://127.* does not answer: "):
            await client.status()


async def test_silence(script: Script) -> None:
    script.silent = True
    async with RegistryClient(script.url, timeout_seconds=0.1) as client:
        with pytest.raises(RegistryError, match=r"does not answer: no answer in time$"):
            await client.status()


async def test_outside_of_its_context_is_a_mistake_of_ours() -> None:
    with pytest.raises(RuntimeError, match="context manager"):
        await RegistryClient("http://registry:8089").status()


async def test_the_simulated_registry(tmp_path: Path) -> None:
    uuid = seed.template(tmp_path, "macos-15", tag="v1", size=1000)
    seed.template(tmp_path, "macos-15", tag="v2", uuid=uuid, size=1000)
    async with serving(tmp_path) as url, RegistryClient(url) as client:
        assert (await client.status()).status == "Running"
        assert [(row.id, row.name) for row in await client.templates()] == [(uuid, "macos-15")]
        found = await client.template(uuid)
        assert [(version.number, version.tag) for version in found.versions] == [(0, "v1"), (1, "v2")]
        assert found.versions[-1].last_push is not None
        assert (await client.disk()).total > 0
        assert (await client.info(uuid, tag="v1"))["name"] == "macos-15"
        await client.revert(uuid, tag="v2")
        assert [version.tag for version in (await client.template(uuid)).versions] == ["v1"]
        with pytest.raises(RegistryRefused):
            await client.revert(uuid, tag="v9")
        await client.delete(uuid)
        assert await client.templates() == []
        with pytest.raises(RegistryRefused):
            await client.template(uuid)


async def test_logs_go_there_and_are_read_as_they_come(tmp_path: Path) -> None:
    async with serving(tmp_path) as url, RegistryClient(url) as client:
        assert await client.logs() == []
        await client.log("anka_agent", "mac-1", "10.0.0.7", "äone\ntwo\n")
        (found,) = await client.logs()
        assert (found.service, found.machine_name, found.size) == ("anka_agent", "mac-1", 10)
        assert found.modified is not None
        async with client.log_content("anka_agent", "mac-1", last_bytes=5) as chunks:
            assert b"".join([chunk async for chunk in chunks]) == b"two\n"
        with pytest.raises(RegistryRefused, match="no log of anka_agent on mac-2"):
            async with client.log_content("anka_agent", "mac-2", last_bytes=5):
                pass


@pytest.mark.parametrize(
    ("status", "body", "says"),
    [
        (404, "404 page not found", "log of a on m: HTTP 404: is this the URL of an Anka registry?"),
        (200, {"status": "FAIL", "message": "central logging is off"}, "central logging is off"),
        (200, {"status": "OK", "message": "", "body": {}}, "the answer is not a log"),
    ],
)
async def test_a_registry_that_hands_out_no_logs(
    script: Script, client: RegistryClient, status: int, body: Any, says: str
) -> None:
    script.status, script.body = status, body
    with pytest.raises(RegistryError) as caught:
        async with client.log_content("a", "m", last_bytes=1):
            pass
    assert says in str(caught.value)
