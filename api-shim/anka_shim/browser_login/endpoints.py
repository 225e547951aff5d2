"""/oidc/v1: people log in with a browser, at the provider, and come back with a session."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from anka_shim.access.browser_session import SESSION_COOKIE, read_cookie, set_cookie
from anka_shim.access.login_limiter import LoginLimiter
from anka_shim.access.oidc.code_flow import ATTEMPT_SECONDS, CodeFlow
from anka_shim.access.oidc.provider import REFUSED
from anka_shim.access.policy import limit_logins
from anka_shim.failure import Failure
from anka_shim.http.authentication import client_address
from anka_shim.http.envelope import ok
from anka_shim.http.feature_dependency import FeatureDependency
from anka_shim.http.injection import inject
from anka_shim.settings import ShimSettings

ATTEMPT_COOKIE = "__Host-anka-login"
_NO_STORE = {"Cache-Control": "no-store"}
_LONGEST = 4096
"""Characters of what the provider sends with the browser."""


BROWSER_LOGIN = FeatureDependency(
    ShimSettings,
    lambda settings: settings.has_browser_login,
    "nobody logs in with a browser (--oidc-client-secret-file)",
)


router = APIRouter(dependencies=[Depends(BROWSER_LOGIN)], include_in_schema=False)
"""Pages for browsers: no client of the API asks for them."""

Flow = Annotated[CodeFlow, inject(CodeFlow)]
Limiter = Annotated[LoginLimiter, inject(LoginLimiter)]
Given = Annotated[str, Query(max_length=_LONGEST)]


@router.get("/oidc/v1/login")
async def login(flow: Flow) -> Response:
    """Needs no login. Leads to the provider."""
    url, sealed = await flow.begin()
    answer = RedirectResponse(url, status_code=302, headers=_NO_STORE)
    set_cookie(answer, ATTEMPT_COOKIE, sealed, ATTEMPT_SECONDS)
    return answer


@router.get("/oidc/v1/callback")
async def callback(
    flow: Flow, limiter: Limiter, request: Request, state: Given = "", code: Given = "", error: Given = ""
) -> Response:
    """Needs no login. Only the browser that has begun the login gets a session."""
    if error:
        raise Failure(f"the provider says {error[:100]!r}: {REFUSED}", code=403)
    sealed = read_cookie(request.scope["headers"], ATTEMPT_COOKIE)
    if not sealed or not state or not code:
        raise Failure(REFUSED, code=400)
    address, credential = client_address(request.scope), f"code {code}".encode("utf-8", "surrogatepass")
    limit_logins(limiter, address, credential)
    try:
        session, seconds = await flow.end(sealed, state, code)
    except Failure as failure:
        if failure.code in (400, 403):
            limiter.note_failure(address, credential)
        raise
    answer = RedirectResponse("/", status_code=302, headers=_NO_STORE)
    set_cookie(answer, SESSION_COOKIE, session, seconds)
    set_cookie(answer, ATTEMPT_COOKIE, "", 0)
    return answer


@router.post("/oidc/v1/logout")
async def logout() -> Response:
    """Ends the session in this browser. The one at the provider goes on."""
    answer = ok()
    set_cookie(answer, SESSION_COOKIE, "", 0)
    return answer
