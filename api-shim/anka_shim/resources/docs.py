"""/docs: the API for people to read and try out, with all that the page loads: it works where there is no internet."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from importlib.resources import files

from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from starlette.requests import Request
from starlette.responses import Response

PATH = "/docs"
ASSETS = {
    "swagger-ui-bundle.js": "text/javascript",
    "swagger-ui.css": "text/css",
    "favicon-32x32.png": "image/png",
}


def register(app: FastAPI) -> None:
    """Add the page and its assets to the application; none of them is in the document itself."""
    # Only its files are used: its routes would redirect / to the page.
    folder = files("fastapi_swagger.resources")
    page = get_swagger_ui_html(
        openapi_url="/openapi.json",
        title=app.title,
        swagger_js_url=f"{PATH}/swagger-ui-bundle.js",
        swagger_css_url=f"{PATH}/swagger-ui.css",
        swagger_favicon_url=f"{PATH}/favicon-32x32.png",
        # Without it, a badge would be asked for from a host of Swagger's.
        swagger_ui_parameters={"validatorUrl": None, "displayRequestDuration": True},
    )

    @app.get(PATH, include_in_schema=False)
    async def docs(_: Request) -> Response:
        return page

    for name, media_type in ASSETS.items():
        app.get(f"{PATH}/{name}", include_in_schema=False)(_asset(folder.joinpath(name).read_bytes(), media_type))


def _asset(content: bytes, media_type: str) -> Callable[[Request], Coroutine[None, None, Response]]:
    async def asset(_: Request) -> Response:
        return Response(content, media_type=media_type, headers={"Cache-Control": "max-age=3600"})

    return asset
