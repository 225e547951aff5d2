"""/portal/v1/stream: a WebSocket."""

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from anka_runtime.version import package_version
from anka_shim.failure import Failure
from anka_shim.http.authentication import name_client
from anka_shim.http.injection import inject
from anka_shim.http.websocket import SwitchingAnswer, find_offer
from anka_shim.portal.feature import PORTAL
from anka_shim.portal.session.visitor import PortalAccess
from anka_shim.portal.stream.budget import TabBudget
from anka_shim.portal.stream.hub import StreamHub
from anka_shim.portal.stream.tab import Tab
from anka_shim.replicas.peers import Peers

STREAM_PATH = "/portal/v1/stream"

router = APIRouter(dependencies=[Depends(PORTAL)], include_in_schema=False)


@router.get(STREAM_PATH)
async def stream(
    request: Request,
    hub: Annotated[StreamHub, inject(StreamHub)],
    access: Annotated[PortalAccess, inject(PortalAccess)],
    budget: Annotated[TabBudget, inject(TabBudget)],
    peers: Annotated[Peers, inject(Peers)],
) -> Response:
    """Of pages of ours only, also where other sites may use the API: their pages have no login here, but where nobody
    needs one they could read along."""
    origin = request.headers.get("origin")
    if origin is not None and origin.partition("://")[2].lower() != request.headers.get("host", "").lower():
        raise Failure("a page of another site must not open a stream", code=403)
    find_offer(request.scope)
    client = name_client(request.scope)
    is_within = budget.enter(client)
    about = {"version": package_version(), "replica": peers.id}
    tab = Tab(hub, access.watch(request.scope), about, lambda: budget.leave(client), is_full=not is_within)
    return SwitchingAnswer(tab)
