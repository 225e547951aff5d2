"""The ASGI application: all resources, and what is answered where there is none."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route

from anka_shim.resources import (
    auth,
    devices,
    distribution,
    docs,
    group,
    health,
    image,
    logs,
    node,
    package,
    peer,
    restart,
    status,
    template,
    vm,
)
from anka_shim.rest.direct import Direct
from anka_shim.rest.edge import REQUEST_ID, Edge
from anka_shim.rest.envelope import fail
from anka_shim.rest.openapi import document
from anka_shim.rest.rate import RateLimit
from anka_shim.services import Services
from anka_shim.translate.failure import Failure
from anka_shim.version import package_version

Handler = Callable[[Request], Coroutine[Any, Any, Response]]

DESCRIPTION = """The REST API of the Anka controller, served from the custom resources of a Kubernetes cluster.

Every answer of /api is `{"status": "OK" | "FAIL", "message": …, "body": …}`. What a request asks for and cannot be done
is **HTTP 200** with status FAIL and the reason in `message`; `body` is left out where there is none.

There is no authentication yet."""


class _Direct(APIRoute):
    """Calls the handler with the request and nothing else. Our handlers declare no parameters, so what FastAPI would
    do in between only costs time: a third of a short answer."""

    def get_route_handler(self) -> Handler:
        handler: Handler = self.endpoint
        return handler


def application(services: Services) -> Edge:
    """Everything, ready to be served."""
    app = FastAPI(
        title="Anka controller API",
        version=package_version(),
        redirect_slashes=False,
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
    )
    app.state.max_body_bytes = services.settings.max_body_bytes
    app.router.route_class = _Direct
    for resource in (
        vm,
        restart,
        node,
        group,
        template,
        distribution,
        image,
        logs,
        devices,
        status,
        auth,
        health,
        peer,
        package,
    ):
        resource.register(app, services)
    docs.register(app)
    app.add_exception_handler(Failure, _failed)
    app.add_exception_handler(HTTPException, _no_such_endpoint)
    app.add_exception_handler(Exception, _bug)

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = document(app, DESCRIPTION)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]
    settings = services.settings
    rate_limit = RateLimit(settings.rate_limit) if settings.rate_limit else None
    return Edge(
        Direct(app, _bug), max_in_flight=settings.max_in_flight, access_log=settings.access_log, rate_limit=rate_limit
    )


# Starlette looks handlers up by the exception's type, which a signature can't say: hence Any.
async def _failed(_: Request, error: Any) -> Response:
    return fail(error.message)


async def _no_such_endpoint(request: Request, error: Any) -> Response:
    path = request.url.path[:200]
    texts = {
        404: f"no such endpoint: {path} (see /docs)",
        405: f"{path} does not take {request.method} (see /docs)",
    }
    headers = {"Allow": ", ".join(_methods(request))} if error.status_code == 405 else error.headers
    return fail(texts.get(error.status_code, str(error.detail)), code=error.status_code, headers=headers)


def _methods(request: Request) -> list[str]:
    """All that this path takes: Starlette names those of the first route that has the path."""
    app: FastAPI = request.app
    return sorted(
        method
        for route in app.routes
        if isinstance(route, Route) and route.matches(request.scope)[0] is not Match.NONE
        for method in route.methods or ()
    )


async def _bug(request: Request, _: Exception) -> Response:
    """Our own mistake, the only reason for a 500. It is raised again after this, and logged by the edge."""
    return fail(f"internal error, request {request.scope[REQUEST_ID]}: see the log of the API shim", code=500)
