"""Leads browsers from / to the portal. All others get there what they always got."""

from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

ENTRANCE = "/portal/"


class BrowserEntrance:
    """ASGI middleware in front of the gate: the page itself says who has to log in."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/" and scope["method"] in ("GET", "HEAD") and _wants_page(scope):
            headers = {"Cache-Control": "no-store", "Vary": "Accept"}
            await RedirectResponse(ENTRANCE, status_code=302, headers=headers)(scope, receive, send)
        else:
            await self._app(scope, receive, send)


def _wants_page(scope: Scope) -> bool:
    return any(name == b"accept" and b"text/html" in value.lower() for name, value in scope["headers"])
