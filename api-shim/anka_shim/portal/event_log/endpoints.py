"""/portal/v1/events."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from anka_shim.http.envelope import ok
from anka_shim.http.injection import inject
from anka_shim.portal.event_log.reader import EventLogReader
from anka_shim.portal.event_log.request import DEFAULT_EVENTS, EventQuery
from anka_shim.portal.feature import PORTAL

router = APIRouter(prefix="/portal/v1", dependencies=[Depends(PORTAL)], include_in_schema=False)


@router.get("/events")
async def list_events(
    query: Annotated[EventQuery, Query()], reader: Annotated[EventLogReader, inject(EventLogReader)]
) -> Response:
    page = await reader.read(query.limit or DEFAULT_EVENTS, query.before)
    return ok({"events": list(page.events), "more": page.has_more})
