"""/portal/v1/session, login and logout."""

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from anka_shim.access.browser_session import SESSION_COOKIE, set_cookie
from anka_shim.failure import Failure
from anka_shim.http.envelope import ok
from anka_shim.http.injection import inject
from anka_shim.portal.feature import PORTAL
from anka_shim.portal.session.logins import PortalLogins
from anka_shim.portal.session.session import describe_ways
from anka_shim.portal.session.visitor import PortalAccess
from anka_shim.settings import ShimSettings

router = APIRouter(prefix="/portal/v1", dependencies=[Depends(PORTAL)], include_in_schema=False)

OWN_HEADER = "X-Anka-Portal"

Access = Annotated[PortalAccess, inject(PortalAccess)]


@router.get("/session")
async def session(request: Request, access: Access) -> Response:
    """Who is logged in, and what they may do."""
    return ok(await access.describe(request.scope))


@router.get("/login")
async def ways(settings: Annotated[ShimSettings, inject(ShimSettings)]) -> Response:
    """How people can log in here. Needs no login."""
    return ok(describe_ways(settings))


@router.post("/login")
async def login(request: Request, access: Access, logins: Annotated[PortalLogins, inject(PortalLogins)]) -> Response:
    """By the Authorization header: of root, of a session of an API key, or with a token of the cluster."""
    _require_own_page(request)
    opened = await logins.log_in(request.scope)
    answer = ok(await access.describe_principal(replace(opened.principal, expires=opened.until)))
    answer.headers["Cache-Control"] = "no-store"
    set_cookie(answer, SESSION_COOKIE, opened.cookie, opened.seconds)
    return answer


@router.post("/logout")
async def logout(request: Request) -> Response:
    """Ends the session in this browser."""
    _require_own_page(request)
    answer = ok()
    set_cookie(answer, SESSION_COOKIE, "", 0)
    return answer


def _require_own_page(request: Request) -> None:
    """A form of another site cannot send this header, and a script of it would be asked by the browser first."""
    if OWN_HEADER.lower() not in request.headers:
        raise Failure(f"the header {OWN_HEADER}: 1 is needed", code=400)
