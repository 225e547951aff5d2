"""Simple GETs, answered from the same declarations as FastAPI's, without the way through FastAPI.

CI plugins poll. FastAPI takes several times as long to find and fill the parameters of such a request as its answer
takes (measured: 80 µs for each, of about 100). Their endpoints are simple: they take objects of the application and
optional texts from the query. So this middleware reads their signatures once, and calls the same functions with the
same arguments. It sits behind the gate, as FastAPI does.
"""

import inspect
from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from fastapi import FastAPI
from fastapi.params import Depends, Query
from fastapi.routing import APIRoute, iter_route_contexts
from starlette.datastructures import QueryParams
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from anka_shim.http.injection import AppDependency

Endpoint = Callable[..., Awaitable[Response]]


class NotSimple(Exception):
    """The declaration has something that only FastAPI understands."""


class SimpleRead:
    """One route. Raises NotSimple."""

    def __init__(self, route: APIRoute, app: FastAPI) -> None:
        self.route = route
        self._app = app
        self._endpoint: Endpoint = route.endpoint
        self._checks = [_app_dependency(depends) for depends in route.dependencies]
        self._objects: dict[str, AppDependency[Any]] = {}
        self._query: list[tuple[str, str, str | None]] = []
        hints = get_type_hints(route.endpoint, include_extras=True)
        for name, parameter in inspect.signature(route.endpoint).parameters.items():
            match get_args(hints[name]) if get_origin(hints[name]) is Annotated else ():
                case (_, Depends() as depends):
                    self._objects[name] = _app_dependency(depends)
                case (kind, Query() as query) if (
                    kind in (str, str | None) and not query.metadata and parameter.default is not parameter.empty
                ):
                    self._query.append((name, query.alias or name, parameter.default))
                case _:
                    raise NotSimple(name)

    async def __call__(self, query_string: bytes) -> Response:
        """May raise Failure."""
        for check in self._checks:
            check.resolve(self._app)
        arguments = {name: dependency.resolve(self._app) for name, dependency in self._objects.items()}
        if self._query:
            given = QueryParams(query_string)
            for name, alias, default in self._query:
                arguments[name] = given.get(alias, default)
        return await self._endpoint(**arguments)


def simple_reads(app: FastAPI) -> Mapping[str, SimpleRead]:
    """By path."""
    found = {}
    for context in iter_route_contexts(app.routes):
        route = context.original_route
        if not isinstance(route, APIRoute) or context.methods != {"GET"} or route.param_convertors:
            continue
        try:
            found[str(context.path)] = SimpleRead(route, app)
        except NotSimple:
            continue
    return found


class SimpleReads:
    """ASGI middleware around the application."""

    def __init__(self, app: FastAPI) -> None:
        self._app: ASGIApp = app
        self._reads = simple_reads(app)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        read = self._reads.get(scope["path"]) if scope["method"] == "GET" else None
        if read is None:
            await self._app(scope, receive, send)
            return
        scope["route"] = read.route
        answer = await read(scope["query_string"])
        await answer(scope, receive, send)


def _app_dependency(depends: Depends) -> AppDependency[Any]:
    if not isinstance(depends.dependency, AppDependency):
        raise NotSimple(str(depends.dependency))
    return depends.dependency
