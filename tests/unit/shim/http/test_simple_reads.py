"""Which requests go past FastAPI, and that nothing is different for them."""

from __future__ import annotations

from typing import Annotated

import httpx
import pytest
from fastapi import APIRouter, Depends, FastAPI, Header, Query
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from anka_shim.http.application import build, combine
from anka_shim.http.body_budget import BodyBudget
from anka_shim.http.injection import AppDependency, inject
from anka_shim.http.rights import PERMISSION_PATHS
from anka_shim.http.simple_reads import SimpleReads, simple_reads
from support.shim_rig import TEMPLATE, rig

READS = {
    "/api/v1/vm",
    "/api/v1/node",
    "/api/v1/group",
    "/api/v1/registry/vm",
    "/api/v1/registry/vm/distribute",
    "/api/v1/registry/disk",
    "/api/v1/image",
    "/api/v1/usb",
    "/api/v1/vlan",
    "/api/v1/status",
    "/api/v1/stats",
    "/config/v1/auth",
    "/oidc/v1/login",
    "/api/v1/apikey",
    *(f"{prefix}/{path}" for prefix in PERMISSION_PATHS for path in ("permissions", "resources/permissions", "group")),
    "/portal/v1/history",
    "/portal/v1/login",
    "/livez",
    "/readyz",
    "/metrics",
    "/docs",
    "/docs/swagger-ui-bundle.js",
    "/docs/swagger-ui.css",
    "/docs/favicon-32x32.png",
}
QUERIES = [
    "",
    "id=",
    "id=mac-1",
    f"id={TEMPLATE}",
    "id=a&id=b",
    "id=%ff%00",
    "apiVer=v1",
    "x=1&&=",
    "from=me&kind=secrets",
]


async def test_polls_are_simple_reads() -> None:
    async with rig() as shim:
        assert simple_reads(shim.api_app).keys() == READS


@pytest.mark.parametrize("synced", [True, False])
async def test_fastapi_gives_the_same_answers(synced: bool) -> None:
    async with rig(synced=synced) as shim:
        if synced:
            await shim.start(name="n")
        for path, read in simple_reads(shim.api_app).items():
            if path == "/metrics":  # counts these requests
                continue
            for query in QUERIES:
                shim.reads._reads = {}
                there = await shim.http.get(f"{path}?{query}")
                shim.reads._reads = {path: read}
                here = await shim.http.get(f"{path}?{query}")
                assert (here.status_code, here.content) == (there.status_code, there.content), f"{path}?{query}"
                assert here.headers["content-type"] == there.headers["content-type"]


class Word(AppDependency[str]):
    def resolve(self, app: FastAPI) -> str:
        return "word"


async def per_request(request: Request) -> str:
    return request.method


def application() -> FastAPI:
    router = APIRouter()

    @router.get("/simple")
    async def simple(
        word: Annotated[str, Depends(Word())],
        number: Annotated[int, inject(int)],
        id: Annotated[str | None, Query(alias="Id")] = None,
    ) -> Response:
        return PlainTextResponse(f"{word} {number} {id}")

    @router.get("/dependency", dependencies=[Depends(per_request)])
    async def dependency() -> Response:
        return PlainTextResponse("x")

    @router.get("/with/{parameter}")
    async def parameter(parameter: str) -> Response:
        return PlainTextResponse(parameter)

    @router.get("/header")
    async def header(key: Annotated[str | None, Header()] = None) -> Response:
        return PlainTextResponse(str(key))

    @router.get("/bounded")
    async def bounded(id: Annotated[str, Query(max_length=3)] = "") -> Response:
        return PlainTextResponse(id)

    @router.get("/number")
    async def number(id: Annotated[int, Query()] = 0) -> Response:
        return PlainTextResponse(str(id))

    @router.get("/required")
    async def require(id: Annotated[str, Query()]) -> Response:
        return PlainTextResponse(id)

    @router.post("/write")
    async def write() -> Response:
        return PlainTextResponse("written")

    return build(combine([router]), [7], bodies=BodyBudget(longest=1000, limit=1000))


def test_what_only_fastapi_understands_is_left_to_it() -> None:
    assert simple_reads(application()).keys() == {"/simple"}


async def test_a_simple_read_goes_past_fastapi(monkeypatch: pytest.MonkeyPatch) -> None:
    app = SimpleReads(application())

    async def never(*_: object) -> None:
        raise AssertionError("FastAPI was called")

    monkeypatch.setattr(FastAPI, "__call__", never)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://shim") as http:
        assert (await http.get("/simple?Id=7&Id=8")).text == "word 7 8"
        assert (await http.get("/simple")).text == "word 7 None"
        for method, path in (("GET", "/with/word"), ("POST", "/simple"), ("GET", "/nowhere"), ("HEAD", "/simple")):
            with pytest.raises(AssertionError, match="FastAPI was called"):
                await http.request(method, path)
