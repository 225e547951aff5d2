"""/config/v1/auth: what CI plugins ask when they are set up to log in by OpenID Connect."""

from __future__ import annotations

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from anka_shim.rest.envelope import ok
from anka_shim.rest.openapi import described
from anka_shim.schema.auth import AuthOk
from anka_shim.services import Services

TAG = "Authentication"


def register(app: FastAPI, _: Services) -> None:
    """Add the endpoints to the application."""

    @app.get("/config/v1/auth", **described(TAG, "How to log in", gives=AuthOk))
    async def auth(_: Request) -> Response:
        """An empty object: no authentication. Jenkins reads `body` as an object and looks for `oidc` in it."""
        return ok({})
