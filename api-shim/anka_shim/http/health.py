"""/livez, /readyz and /metrics, for Kubernetes and Prometheus. No envelope: no client of the old API reads them."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.responses import PlainTextResponse, Response

from anka_runtime.health import Check, HealthChecks
from anka_shim.http.injection import inject
from anka_shim.http.openapi import Responses

TEXT: Responses = {200: {"description": "Well.", "content": {"text/plain": {}}}}
PROBE: Responses = {**TEXT, 503: {"description": "Not well: a line for each check.", "content": {"text/plain": {}}}}

router = APIRouter(tags=["Health"], default_response_class=PlainTextResponse)

Checks = Annotated[HealthChecks, inject(HealthChecks)]


@router.get("/livez", summary="Whether the process is alive", responses=PROBE)
async def livez(health: Checks) -> Response:
    return _answer(health, health.live)


@router.get("/readyz", summary="Whether requests can be served", responses=PROBE)
async def readyz(health: Checks) -> Response:
    return _answer(health, {**health.live, **health.ready})


@router.get("/metrics", summary="Prometheus metrics", responses=TEXT)
async def metrics() -> Response:
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


def _answer(health: HealthChecks, checks: Mapping[str, Check]) -> Response:
    well, text = health.evaluate(checks)
    return PlainTextResponse(text or "ok\n", status_code=200 if well else 503)
