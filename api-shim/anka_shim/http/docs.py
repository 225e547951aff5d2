"""/docs: the API to read and try out, with everything that the page loads: it works without internet access."""

from importlib.resources import files

from fastapi import APIRouter
from fastapi.openapi.docs import get_swagger_ui_html
from starlette.responses import Response

from anka_shim.http.application import TITLE

PATH = "/docs"
ASSETS = {"swagger-ui-bundle.js": "text/javascript", "swagger-ui.css": "text/css", "favicon-32x32.png": "image/png"}

# None of its routes is in the document itself.
router = APIRouter(prefix=PATH, include_in_schema=False)

# Only its files are used: its routes would redirect / to the page.
_FOLDER = files("fastapi_swagger.resources")
_PAGE = get_swagger_ui_html(
    openapi_url="/openapi.json",
    title=TITLE,
    swagger_js_url=f"{PATH}/swagger-ui-bundle.js",
    swagger_css_url=f"{PATH}/swagger-ui.css",
    swagger_favicon_url=f"{PATH}/favicon-32x32.png",
    # Without it, the page would load a badge from a host of Swagger's.
    swagger_ui_parameters={"validatorUrl": None, "displayRequestDuration": True},
)
# Its buttons start VMs: no other page may lay itself over them.
_PAGE.headers["Content-Security-Policy"] = "frame-ancestors 'none'"


@router.get("")
async def docs() -> Response:
    return _PAGE


def _add_asset(name: str, media_type: str) -> None:
    content = _FOLDER.joinpath(name).read_bytes()

    @router.get(f"/{name}")
    async def asset() -> Response:
        return Response(content, media_type=media_type, headers={"Cache-Control": "max-age=3600"})


for _name, _media_type in ASSETS.items():
    _add_asset(_name, _media_type)
