"""Which requests go past the framework, and that nothing is different for them."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from anka_shim.rest.direct import Direct
from anka_shim.translate.failure import Failure


class _Handler(APIRoute):
    def get_route_handler(self) -> Any:
        return self.endpoint


def application() -> FastAPI:
    app = FastAPI()
    app.router.route_class = _Handler
    app.state.word = "state"

    @app.get("/literal")
    async def literal(request: Request) -> Response:
        route = request.scope["route"]
        return PlainTextResponse(f"{request.app.state.word} {route.path} {request.query_params['id']}")

    @app.get("/with/{parameter}")
    async def parameter(request: Request) -> Response:
        return PlainTextResponse(request.path_params["parameter"])

    @app.post("/failure")
    async def failure(request: Request) -> Response:
        raise Failure(f"not {(await request.body()).decode()}")

    @app.get("/bug")
    async def bug(_: Request) -> Response:
        raise ZeroDivisionError("one by nothing")

    return app


async def on_bug(_: Request, error: Exception) -> Response:
    return PlainTextResponse(f"told: {error}", 500)


def client(app: FastAPI) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app=Direct(app, on_bug), raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://shim")


async def test_a_literal_path_is_answered_without_the_framework(monkeypatch: pytest.MonkeyPatch) -> None:
    app = application()

    async def never(*_: object) -> None:
        raise AssertionError("the framework was asked")

    monkeypatch.setattr(FastAPI, "__call__", never)
    async with client(app) as http:
        assert (await http.get("/literal?id=7")).text == "state /literal 7"


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [("GET", "/with/word", 200), ("GET", "/nowhere", 404), ("PUT", "/literal", 405), ("GET", "/openapi.json", 200)],
)
async def test_everything_else_goes_through_the_framework(method: str, path: str, code: int) -> None:
    async with client(application()) as http:
        assert (await http.request(method, path)).status_code == code


async def test_a_failure_is_an_envelope_with_200() -> None:
    async with client(application()) as http:
        answer = await http.post("/failure", content=b"now")
    assert (answer.status_code, answer.json()) == (200, {"status": "FAIL", "message": "not now"})


async def test_a_bug_is_answered_and_raised_again() -> None:
    app = Direct(application(), on_bug)
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://shim") as http:
        assert (await http.get("/bug")).text == "told: one by nothing"
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://shim") as http:
        with pytest.raises(ZeroDivisionError):
            await http.get("/bug")
