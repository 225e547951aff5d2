"""The body of a request is JSON, whatever its Content-Type says (docs/reference/legacy-api.md#content-type)."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, ClassVar

import orjson
from fastapi.routing import APIRoute
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope

from anka_shim.failure import Failure
from anka_shim.http.body_budget import BodyBudget, BodyReservation

Shape = type[dict[str, Any]] | type[list[Any]]
_SHAPES: dict[Shape, str] = {dict: "object", list: "array"}

READ_SECONDS = 30.0
"""How long a client may take to send its body."""


def parse(raw: bytes, shape: Shape = dict) -> Any:
    """UTF-8, else ISO-8859-1, which Jenkins sends. An empty body is an empty object, but never an empty array, which
    would mean that nothing is to be left. Raises Failure."""
    raw = raw.removeprefix(b"\xef\xbb\xbf").strip()
    if not raw and shape is dict:
        return {}
    if not raw:
        raise Failure("the request body is empty: it must be a JSON array")
    try:
        data = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        data = _parse_latin(raw, error)
    if not isinstance(data, shape):
        raise Failure(f"the request body must be a JSON {_SHAPES[shape]}, not {_kind(data)}")
    return data


def _parse_latin(raw: bytes, error: orjson.JSONDecodeError) -> object:
    """What is no UTF-8, which is an error to the parser, too."""
    try:
        raw.decode()
    except UnicodeDecodeError:
        try:
            return orjson.loads(raw.decode("iso-8859-1"))
        except orjson.JSONDecodeError as other:
            error = other
    raise Failure(f"the request body is not valid JSON: {error}") from None


async def read(request: Request, reservation: BodyReservation, shape: Shape = dict) -> Any:
    """The body of this request as JSON of this shape. Raises Failure if it isn't, is too long or too slow."""
    declared = request.headers.get("content-length", "")
    if declared.isdecimal():
        reservation.check(int(declared))
    chunks: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(READ_SECONDS):
            async for chunk in request.stream():
                size += len(chunk)
                reservation.take_text(size)
                chunks.append(chunk)
    except TimeoutError:
        raise Failure(f"the request body did not arrive within {READ_SECONDS:.0f} s") from None
    except ClientDisconnect:
        raise Failure("the client closed the connection before its request was complete") from None
    if declared.isdecimal() and int(declared) != size:
        # A body that was announced but is missing must not pass for none.
        raise Failure(f"the request body is not as long as its Content-Length says: {size} bytes of {int(declared)}")
    raw = b"".join(chunks)
    reservation.take_parsed(raw)
    return parse(raw, shape)


class JsonRequest(Request):
    """A request whose body has been read. Without a Content-Type, FastAPI takes it for JSON (strict_content_type)."""

    def __init__(self, scope: Scope, receive: Receive, data: Any) -> None:
        headers = [header for header in scope["headers"] if header[0] != b"content-type"]
        self.has_content_type = len(headers) < len(scope["headers"])
        super().__init__({**scope, "headers": headers}, receive)
        self._data = data

    async def body(self) -> bytes:
        return b"{}"

    async def json(self) -> Any:
        return self._data


class JsonRoute(APIRoute):
    """A route whose body is read as above, before FastAPI looks at it."""

    shape: ClassVar[Shape] = dict

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()
        if self.body_field is None:
            return handle

        async def handle_json(request: Request) -> Response:
            budget: BodyBudget = request.app.state.bodies
            with budget.open() as reservation:
                data = await read(request, reservation, self.shape)
                return await handle(JsonRequest(request.scope, request.receive, data))

        return handle_json


class JsonArrayRoute(JsonRoute):
    """A route whose body is an array."""

    shape = list


def _kind(data: object) -> str:
    return {dict: "an object", list: "an array", str: "a string", type(None): "null", bool: "a boolean"}.get(
        type(data), "a number"
    )
