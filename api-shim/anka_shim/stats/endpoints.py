"""/api/v1/stats: how the queue moves."""

from typing import Annotated

from fastapi import APIRouter
from starlette.responses import Response

from anka_shim.http.envelope import ok
from anka_shim.http.injection import SYNCED, inject
from anka_shim.http.openapi import answers
from anka_shim.stats.answer import StatsOk
from anka_shim.stats.tracker import BindTracker

router = APIRouter(tags=["Status"], dependencies=[SYNCED])

Binds = Annotated[BindTracker, inject(BindTracker)]


@router.get("/api/v1/stats", summary="How fast instances get a Mac", responses=answers(StatsOk))
async def stats(binds: Binds) -> Response:
    """Of the last 5 minutes. More of it: the metrics of the operator."""
    return ok(binds.summarize())
