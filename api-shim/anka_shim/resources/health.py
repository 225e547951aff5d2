"""/livez, /readyz and /metrics: for Kubernetes and Prometheus. No envelope: nobody of the old API reads them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from anka_crds.process.health import Check
from anka_shim.services import Services

TAG = "Health"
TEXT: dict[int | str, dict[str, Any]] = {200: {"description": "Well.", "content": {"text/plain": {}}}}
PROBE: dict[int | str, dict[str, Any]] = {
    **TEXT,
    503: {"description": "Not well: a line for each check.", "content": {"text/plain": {}}},
}


def register(app: FastAPI, services: Services) -> None:
    """Add the endpoints to the application."""
    health = services.health

    def answer(checks: Mapping[str, Check]) -> Response:
        well, text = health.verdict(checks)
        return PlainTextResponse(text or "ok\n", status_code=200 if well else 503)

    @app.get(
        "/livez",
        summary="Whether the process is alive",
        responses=PROBE,
        response_model=None,
        tags=[TAG],
        response_class=PlainTextResponse,
    )
    async def livez(_: Request) -> Response:
        return answer(health.live)

    @app.get(
        "/readyz",
        summary="Whether requests can be served",
        responses=PROBE,
        response_model=None,
        tags=[TAG],
        response_class=PlainTextResponse,
    )
    async def readyz(_: Request) -> Response:
        return answer({**health.live, **health.ready})

    @app.get(
        "/metrics",
        summary="Prometheus metrics",
        responses=TEXT,
        response_model=None,
        tags=[TAG],
        response_class=PlainTextResponse,
    )
    async def metrics(_: Request) -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
