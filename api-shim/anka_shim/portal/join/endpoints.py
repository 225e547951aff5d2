"""/portal/v1/join."""

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import Response

from anka_shim.http.body import JsonRoute
from anka_shim.http.envelope import ok
from anka_shim.http.injection import SYNCED, inject
from anka_shim.portal.feature import PORTAL
from anka_shim.portal.join.commands import JoinCommands
from anka_shim.portal.join.request import JoinMac

router = APIRouter(
    prefix="/portal/v1", route_class=JsonRoute, dependencies=[Depends(PORTAL), SYNCED], include_in_schema=False
)


@router.post("/join")
async def join(body: JoinMac, commands: Annotated[JoinCommands, inject(JoinCommands)]) -> Response:
    made = await commands.make(body)
    answer = ok({"command": made.lines, "expires": made.expires})
    answer.headers["Cache-Control"] = "no-store"
    return answer
