"""Central logs through the shim: from the simulated registry's files, and from registries that misbehave."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer, unused_port

from anka_crds.api.defaults import CI_NAMESPACE
from anka_crds.rules.central_log import to_service
from anka_registry.client import RegistryClient
from anka_shim.http.header_text import attachment
from anka_shim.logs.answer import LogListOk
from anka_sim.registry.access import RegistryLogin
from anka_sim.registry.server import serving
from support.shim_rig import Rig, rig

PATH = "/api/v1/logs"
FILE = "/logs/file"
ROW = {"service": "anka_agent", "machine_name": "mac-1", "size": 6, "modified": 0}


@pytest.fixture
async def shim(tmp_path: Path) -> AsyncIterator[Rig]:
    async with serving(tmp_path) as url, RegistryClient(url) as registry, rig(registry_url=url) as shim:
        await registry.log("anka_agent", "mac-1", "", "one\ntwo\n")
        await registry.log("instance-i1", "mac-1", "", "first\n")
        yield shim


async def test_list(shim: Rig) -> None:
    answer = await shim.call("GET", PATH)
    LogListOk.model_validate(answer)
    assert [row["service"] for row in answer["body"]] == ["anka_agent", "instance-i1"]
    assert [row["size"] for row in await shim.body("GET", f"{PATH}?instance_id=i1")] == [6]
    assert await shim.body("GET", f"{PATH}?node_id=mac-2") == []


async def test_every_file_is_where_the_list_says(shim: Rig) -> None:
    found = {}
    for row in await shim.body("GET", PATH):
        response = await shim.http.get(row["file"])
        assert (response.status_code, response.headers["content-type"]) == (200, "text/plain; charset=utf-8")
        found[response.headers["content-disposition"]] = response.text
    assert found == {
        'attachment; filename="anka_agent-mac-1.log"': "one\ntwo\n",
        'attachment; filename="instance-i1-mac-1.log"': "first\n",
    }


async def test_the_end_of_it(shim: Rig) -> None:
    assert (await shim.http.get(f"{FILE}?node_id=mac-1&last_bytes=5")).text == "two\n"


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("node_id=mac-2", "no such log: see /api/v1/logs"),
        ("", "node_id or instance_id: one of them is required"),
        ("node_id=mac-1&last_bytes=many", "last_bytes: must be an integer (given: 'many')"),
    ],
)
async def test_what_there_is_not(shim: Rig, query: str, says: str) -> None:
    response = await shim.http.get(f"{FILE}?{query}")
    assert (response.status_code, response.json()) == (404, {"status": "FAIL", "message": says})


async def test_without_a_registry() -> None:
    says = "the logs are not known: the API shim was started without --registry-url"
    async with rig() as shim:
        assert await shim.message("GET", PATH) == says
        assert (await shim.http.get(f"{FILE}?node_id=x")).json()["message"] == says


async def test_a_registry_that_is_away() -> None:
    async with rig(registry_url=f"http://127.0.0.1:{unused_port()}") as shim:
        assert "does not answer" in await shim.message("GET", PATH)


async def test_a_registry_that_only_takes_logs() -> None:
    """As a real one may: nothing public says that it hands them out."""
    async with TestServer(web.Application()) as server, rig(registry_url=str(server.make_url(""))) as shim:
        assert "logs: HTTP 404" in await shim.message("GET", PATH)


async def listed(_: web.Request) -> web.Response:
    return web.json_response({"status": "OK", "message": "", "body": [ROW]})


async def refused(_: web.Request) -> web.Response:
    return web.json_response({"status": "FAIL", "message": "gone"})


@pytest.fixture
async def odd() -> tuple[web.Application, TestServer]:
    app = web.Application()
    app.router.add_get("/log", listed)
    return app, TestServer(app)


async def test_a_log_that_vanishes_before_it_is_read(odd: tuple[web.Application, TestServer]) -> None:
    app, server = odd
    app.router.add_get("/log/content", refused)
    async with server, rig(registry_url=str(server.make_url(""))) as shim:
        response = await shim.http.get(f"{FILE}?node_id=mac-1")
        assert (response.status_code, response.json()["status"]) == (502, "FAIL")
        assert "gone" in response.json()["message"]


async def test_a_registry_that_does_not_stop_is_cut_off(odd: tuple[web.Application, TestServer]) -> None:
    app, server = odd

    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/plain"})
        await response.prepare(request)
        while True:
            await response.write(b"x" * 1000)

    app.router.add_get("/log/content", endless)
    async with server, rig(registry_url=str(server.make_url(""))) as shim:
        assert (await shim.http.get(f"{FILE}?node_id=mac-1&last_bytes=2500")).text == "x" * 2500


@pytest.mark.parametrize("name", ["büro", "日本", 'a"; filename="b.sh', "a\r\nSet-Cookie: x=1", "a/../b", "💻"])
async def test_a_machine_may_have_any_name(name: str) -> None:
    async def named(_: web.Request) -> web.Response:
        return web.json_response({"status": "OK", "message": "", "body": [{**ROW, "machine_name": name}]})

    async def content(_: web.Request) -> web.Response:
        return web.Response(text="line\n")

    app = web.Application()
    app.router.add_get("/log", named)
    app.router.add_get("/log/content", content)
    async with TestServer(app) as server, rig(registry_url=str(server.make_url(""))) as shim:
        (row,) = await shim.body("GET", PATH)
        response = await shim.http.get(row["file"])
        assert (response.status_code, response.text) == (200, "line\n")
        assert response.headers["content-disposition"] == attachment(f"anka_agent-{name}.log")
        assert "set-cookie" not in response.headers


async def test_a_registry_that_dies_half_way(odd: tuple[web.Application, TestServer]) -> None:
    app, server = odd

    async def dying(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/plain", "Content-Length": "100"})
        await response.prepare(request)
        await response.write(b"half\n")
        assert request.transport is not None
        request.transport.close()
        return response

    app.router.add_get("/log/content", dying)
    async with server, rig(registry_url=str(server.make_url(""))) as shim:
        lines = (await shim.http.get(f"{FILE}?node_id=mac-1")).text.split()
        text = (await shim.http.get(f"{FILE}?node_id=mac-1")).text
    assert lines[0] == "half"
    assert json.loads(text.splitlines()[-1])["message"].startswith("cut off here: registry ")


async def test_an_instance_elsewhere_with_the_same_name_has_another_log(tmp_path: Path) -> None:
    name, uid, other = (f"{number}983c3bf-a0c0-43dc-54dc-2fd9f7d62fce" for number in range(3))
    async with serving(tmp_path / "other") as url, RegistryClient(url) as registry, rig(registry_url=url) as shim:
        await registry.log(to_service(CI_NAMESPACE, name, uid), "mac-1", "", "mine\n")
        await registry.log(to_service("elsewhere", name, other), "mac-1", "", "theirs\n")
        read = {
            id_: [row["file"] for row in await shim.body("GET", f"{PATH}?instance_id={id_}")] for id_ in (name, other)
        }
        assert {id_: len(files) for id_, files in read.items()} == {name: 1, other: 1}
        assert [(await shim.http.get(read[id_][0])).text for id_ in (name, other)] == ["mine\n", "theirs\n"]


async def test_a_registry_that_demands_a_login(tmp_path: Path) -> None:
    """With the credential it is as any other; with a wrong one the answer says so, without it."""
    token, wrong = tmp_path / "token", tmp_path / "wrong"
    token.write_text("the-registry-s-own")
    wrong.write_text("something-else-5")
    async with serving(tmp_path / "registry", login=RegistryLogin("the-registry-s-own")) as url:
        async with rig(registry_url=url, registry_root_token_file=token) as shim:
            assert await shim.body("GET", PATH) == []
            assert (await shim.body("GET", "/api/v1/registry/disk"))["total"] > 0
        async with rig(registry_url=url, registry_root_token_file=wrong) as shim:
            answer = await shim.call("GET", PATH)
            assert answer["status"] == "FAIL"
            assert "it does not accept the root token: Authentication Required" in answer["message"]
            assert "something-else" not in answer["message"]
