"""/config/v1/auth: what CI plugins ask when they are set up to log in by OpenID Connect."""

from fastapi import APIRouter
from starlette.responses import Response

from anka_shim.auth_config.answer import AuthAnswer, AuthOk
from anka_shim.http.envelope import ok
from anka_shim.http.openapi import answers

router = APIRouter(tags=["Authentication"])


@router.get("/config/v1/auth", summary="How to log in", responses=answers(AuthOk, fails=None))
async def auth() -> Response:
    """An empty object: no OpenID Connect. Jenkins reads `body` as an object and looks for `oidc` in it."""
    return ok(AuthAnswer())
