"""The methods that follow from others: HEAD wherever there is GET, OPTIONS everywhere (RFC 9110, 9.3.2 and 9.3.7).

Old clients send neither; health checks, proxies and humans do: `curl -I /livez`. What a browser asks before a page of
another site may send something is answered elsewhere: cross_origin.py.
"""

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.routing import Match, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from anka_shim.http.envelope import ok

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that change nothing."""


class ImpliedMethods:
    """ASGI middleware of the application."""

    def __init__(self, app: ASGIApp, *, api: FastAPI) -> None:
        self._app = app
        self._api = api

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        method = scope["method"] if scope["type"] == "http" else None
        if method == "HEAD" and _route_methods(self._api, scope) & SAFE == {"GET"}:
            await self._answer_head(scope, receive, send)
        elif method == "OPTIONS" and (allowed := find_methods(self._api, scope)):
            answer = ok()
            answer.headers["Allow"] = ", ".join(allowed)
            await answer(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _answer_head(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As GET, without the content. A streaming endpoint then sees a disconnected client, and stops."""

        async def send_head(message: Message) -> None:
            if message["type"] == "http.response.start":
                # The server and the access log read the method from here on.
                scope["method"] = "HEAD"
                await send(message)
                await send({"type": "http.response.body"})

        scope["method"] = "GET"
        try:
            await self._app(scope, receive, send_head)
        finally:
            scope["method"] = "HEAD"


def find_methods(api: FastAPI, scope: Scope) -> list[str]:
    """All methods of this path; for `*` the methods of all paths. Empty if there is no endpoint."""
    methods = _route_methods(api, scope)
    if methods:
        methods |= {"OPTIONS"} | ({"HEAD"} if "GET" in methods else set())
    return sorted(methods)


def _route_methods(api: FastAPI, scope: Scope) -> set[str]:
    return {
        method
        for context in iter_route_contexts(api.routes)
        if isinstance(route := context.original_route, Route)
        and (scope["path"] == "*" or route.matches(scope)[0] is not Match.NONE)
        for method in context.methods or ()
    }
