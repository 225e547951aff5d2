"""HEAD and OPTIONS, on every path that there is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from starlette.responses import Response, StreamingResponse

from anka_shim.http.connection import Connection
from anka_shim.http.methods import ImpliedMethods
from support.http_wire import exchange
from support.routes import fill
from support.shim_rig import TEMPLATE, Rig, rig

OWN = {"x-request-id", "date"}


async def paths(shim: Rig) -> dict[str, set[str]]:
    """With the methods of each."""
    document = (await shim.http.get("/openapi.json")).json()
    found = {path: {method.upper() for method in methods} for path, methods in document["paths"].items()}
    # A permission group may be called x/permissions, or x/resources.
    for path, methods in found.items():
        methods |= {"DELETE"} if "/permission/group/{name}/" in path else set()
    return {
        **{fill(path, "AnkaAgent.pkg"): methods for path, methods in found.items()},
        "/openapi.json": {"GET"},
        "/docs": {"GET"},
        "/docs/swagger-ui.css": {"GET"},
    }


async def test_head_is_get_without_its_content(tmp_path: Path) -> None:
    (tmp_path / "AnkaAgent.pkg").write_bytes(b"x" * 100_000)
    async with rig(pkg_dir=tmp_path, access_log="none") as shim:
        for path, methods in (await paths(shim)).items():
            query = {"id": "nothing"} if path == "/api/v1/vm" else None
            head = await shim.http.head(path, params=query)
            assert head.content == b"", path
            if "GET" not in methods:
                assert head.status_code == 405, path
                continue
            get = await shim.http.get(path, params=query)
            # Figures of the process change from one scrape to the next.
            own = OWN | ({"content-length"} if path == "/metrics" else set())
            assert head.status_code == get.status_code, path
            assert {name: text for name, text in head.headers.items() if name not in own} == {
                name: text for name, text in get.headers.items() if name not in own
            }, path
            assert get.content, path


async def test_options_tells_what_a_path_takes() -> None:
    async with rig(access_log="none") as shim:
        every: set[str] = set()
        for path, methods in (await paths(shim)).items():
            response = await shim.http.options(path)
            assert (response.status_code, response.json()) == (200, {"status": "OK", "message": ""}), path
            allowed = set(response.headers["allow"].split(", "))
            assert allowed == methods | {"OPTIONS"} | ({"HEAD"} if "GET" in methods else set()), path
            assert not [name for name in response.headers if name.startswith("access-control")]
            every |= allowed
            wrong = await shim.http.request("PATCH", path)
            assert (wrong.status_code, wrong.headers["allow"]) == (405, response.headers["allow"]), path
        assert every == {"GET", "HEAD", "OPTIONS", "POST", "PUT", "DELETE"}


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS"])
async def test_where_there_is_no_endpoint(method: str) -> None:
    async with rig() as shim:
        response = await shim.http.request(method, "/api/v1/nothing")
        assert response.status_code == 404
        assert "allow" not in response.headers


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS"])
async def test_neither_changes_anything(method: str) -> None:
    async with rig() as shim:
        for path in await paths(shim):
            await shim.http.request(
                method, path, json={"vmid": TEMPLATE, "id": "mac-1", "node_id": "mac-1", "name": "x"}
            )
        assert [shim.api.count(verb) for verb in ("create", "update", "patch", "delete")] == [0] * 4


async def test_they_are_not_changes_in_the_access_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "anka_shim.access")
    async with rig(access_log="changes") as shim:
        await shim.http.head("/api/v1/vm")
        await shim.http.options("/api/v1/vm")
        assert not [record for record in caplog.records if record.name == "anka_shim.access"]
        await shim.http.head("/api/v1/vm", params={"id": "nothing"})
        (record,) = [record for record in caplog.records if record.name == "anka_shim.access"]
        assert (vars(record)["method"], vars(record)["outcome"]) == ("HEAD", "FAIL")


async def test_a_stream_that_nobody_reads_ends() -> None:
    api, ended = FastAPI(), asyncio.Event()

    @api.get("/")
    async def endless() -> Response:
        async def content() -> AsyncIterator[bytes]:
            try:
                while True:
                    yield b"x" * 1000
                    await asyncio.sleep(0)
            finally:
                ended.set()

        return StreamingResponse(content())

    raw = b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n"
    result = await exchange(Connection, [raw], application=ImpliedMethods(api, api=api), read_answers=False)
    assert result.written.startswith(b"HTTP/1.1 200 OK\r\n")
    assert result.written.endswith(b"\r\n\r\n")
    await asyncio.wait_for(ended.wait(), 10)


async def test_the_next_request_of_the_connection_is_served() -> None:
    """A content after the answer to HEAD would be read as the next answer."""
    api = FastAPI()

    @api.get("/")
    async def read() -> Response:
        return Response(b"some text")

    raw = b"%s / HTTP/1.1\r\nHost: a\r\n\r\n"
    segments = [raw % method for method in (b"HEAD", b"OPTIONS", b"HEAD", b"GET")]
    result = await exchange(Connection, segments, application=ImpliedMethods(api, api=api), read_answers=False)
    heads = result.written.split(b"HTTP/1.1 200 OK\r\n")[1:]
    assert [head.partition(b"\r\n\r\n")[2] for head in heads] == [
        b"",
        b'{"status":"OK","message":""}',
        b"",
        b"some text",
    ]
    assert [b"content-length: 9\r\n" in head for head in heads] == [True, False, True, True]


async def test_options_of_the_server_as_a_whole() -> None:
    async with rig() as shim:
        raw = b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"
        result = await exchange(Connection, [raw], application=shim.edge, read_answers=False)
        assert b"\r\nallow: DELETE, GET, HEAD, OPTIONS, POST, PUT\r\n" in result.written
