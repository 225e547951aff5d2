"""The FastAPI application: routers and what they work with, and what is answered where there is no route."""

from collections.abc import Iterable
from typing import Any, NoReturn

from fastapi import APIRouter, FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from anka_runtime.version import package_version
from anka_shim.failure import Failure
from anka_shim.http.body_budget import BodyBudget
from anka_shim.http.envelope import fail
from anka_shim.http.injection import provide
from anka_shim.http.methods import find_methods
from anka_shim.http.openapi import DocumentedApi
from anka_shim.http.request import describe

TITLE = "Anka controller API"

DESCRIPTION = """The REST API of the Anka controller, served from the custom resources of a Kubernetes cluster.

Every answer of /api is `{"status": "OK" | "FAIL", "message": …, "body": …}`. What a request asks for and cannot be done
is **HTTP 200** with status FAIL and the reason in `message`; `body` is left out where there is none.

Bodies are JSON in any Content-Type, UTF-8 or ISO-8859-1. Unknown fields are ignored.

Where authentication is on, every path but `/livez`, `/readyz`, `/metrics`, `/config/v1/auth`, `/tap`, `/oidc` and
`/pkg` needs an Authorization header: HTTP 401 without one that is valid, 403 without the right."""

_STRICT_CONTENT_TYPE = False
"""A body is JSON, whatever its Content-Type."""


def combine(routers: Iterable[APIRouter]) -> APIRouter:
    """One router for every application of a process. FastAPI reads the signatures of what a router includes once for
    each router, which takes a quarter of a second of CPU; and tests make thousands of applications."""
    one = APIRouter(strict_content_type=_STRICT_CONTENT_TYPE)
    for router in routers:
        one.include_router(router)
    return one


def build(router: APIRouter, objects: Iterable[object], *, bodies: BodyBudget) -> FastAPI:
    """`router`: a combined one. `objects`: what its endpoints declare as provided. Raises Failure if a request is
    refused."""
    app = DocumentedApi(
        title=TITLE,
        version=package_version(),
        description=DESCRIPTION,
        redirect_slashes=False,
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
        strict_content_type=_STRICT_CONTENT_TYPE,
        telemetry={"tracing": False, "metrics": False},
        routes=router.routes,
    )
    app.state.bodies = bodies
    provide(app, *objects)
    app.add_exception_handler(RequestValidationError, _refuse)
    app.add_exception_handler(HTTPException, _find_no_endpoint)
    # The edge turns Failure, and our own bugs, into answers.
    app.add_exception_handler(Exception, _raise)
    return app


# Starlette finds handlers by the exception's type, which a signature cannot express: hence Any.
async def _refuse(request: Request, error: Any) -> NoReturn:
    """Where a route documents its failures as 404, as downloads do, so is this one."""
    route = request.scope.get("route")
    raise Failure(describe(error.errors()), code=404 if 404 in getattr(route, "responses", ()) else 200)


async def _raise(_: Request, error: Exception) -> NoReturn:
    raise error


async def _find_no_endpoint(request: Request, error: Any) -> Response:
    path = request.url.path[:200]
    texts = {404: f"no such endpoint: {path} (see /docs)", 405: f"{path} does not take {request.method} (see /docs)"}
    headers = error.headers
    if error.status_code == 405:
        # Starlette names only those of the first route with this path.
        headers = {"Allow": ", ".join(find_methods(request.app, request.scope))}
    return fail(texts.get(error.status_code, str(error.detail)), code=error.status_code, headers=headers)
