"""Calls the handler of a path at once, past the framework, which costs as much as a short answer itself.

All our paths are literal, so one look into a table finds the handler. Whatever is not in it (the documentation, unknown
paths, wrong methods) goes through FastAPI as ever.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from anka_shim.rest.envelope import fail
from anka_shim.translate.failure import Failure

OnBug = Callable[[Request, Exception], Awaitable[Response]]


class Direct:
    """ASGI middleware around the application. `on_bug` makes the answer to an exception that nobody expected; the
    exception is raised again after it, as Starlette does."""

    def __init__(self, app: FastAPI, on_bug: OnBug) -> None:
        self._app = app
        self._on_bug = on_bug
        self._routes = {
            (method, route.path): route
            for route in app.routes
            if isinstance(route, APIRoute) and not route.param_convertors
            for method in route.methods or ()
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        route = self._routes.get((scope["method"], scope["path"])) if scope["type"] == "http" else None
        if route is None:
            await self._app(scope, receive, send)
            return
        scope["app"] = self._app
        scope["route"] = route
        request = Request(scope, receive, send)
        try:
            answer: Response = await route.endpoint(request)
        except Failure as failure:
            answer = fail(failure.message)
        except Exception as error:
            await (await self._on_bug(request, error))(scope, receive, send)
            raise
        await answer(scope, receive, send)
