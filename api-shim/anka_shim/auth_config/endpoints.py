"""/config/v1/auth: what CI plugins ask when they are set up to log in by OpenID Connect."""

from typing import Annotated

from fastapi import APIRouter
from starlette.responses import Response

from anka_shim.auth_config.answer import AuthAnswer, AuthOk, OidcAnswer
from anka_shim.http.envelope import ok
from anka_shim.http.injection import inject
from anka_shim.http.openapi import answers
from anka_shim.settings import ShimSettings

router = APIRouter(tags=["Authentication"])

Settings = Annotated[ShimSettings, inject(ShimSettings)]


@router.get("/config/v1/auth", summary="How to log in", responses=answers(AuthOk, fails=None))
async def auth(settings: Settings) -> Response:
    """Without OpenID Connect an empty object. Jenkins reads `body` as an object and looks for `oidc` in it."""
    if not settings.oidc_provider_url:
        return ok(AuthAnswer())
    oidc = OidcAnswer.model_construct(
        user_name_field=settings.oidc_username_claim,
        groups_field=settings.oidc_groups_claim,
        provider_url=settings.oidc_provider_url,
    )
    return ok(AuthAnswer.model_construct(oidc=oidc))
