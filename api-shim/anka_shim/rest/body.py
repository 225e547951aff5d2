"""Reading a request's body: JSON, whatever its Content-Type says (legacy-clients hazard 1)."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
from starlette.requests import ClientDisconnect, Request

from anka_shim.translate import values
from anka_shim.translate.failure import Failure

READ_SECONDS = 30.0
"""How long a client may take to send its body."""


def parse(raw: bytes) -> dict[str, Any]:
    """UTF-8, else ISO-8859-1, which Jenkins sends. An empty body is an empty object. Raises Failure."""
    raw = raw.removeprefix(b"\xef\xbb\xbf").strip()
    if not raw:
        return {}
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        text = raw.decode("iso-8859-1")
    try:
        data = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise Failure(f"the request body is not valid JSON: {error}") from None
    if not isinstance(data, dict):
        raise Failure(f"the request body must be a JSON object, not {_kind(data)}")
    return data


async def read(request: Request) -> dict[str, Any]:
    """The body of this request as a JSON object. Raises Failure for what isn't one, is too long or too slow."""
    limit: int = request.app.state.max_body_bytes
    too_long = Failure(f"the request body is larger than {limit} bytes")
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > limit:
        raise too_long
    chunks: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(READ_SECONDS):
            async for chunk in request.stream():
                size += len(chunk)
                if size > limit:
                    raise too_long
                chunks.append(chunk)
    except TimeoutError:
        raise Failure(f"the request body did not arrive within {READ_SECONDS:.0f} s") from None
    except ClientDisconnect:
        raise Failure("the client closed the connection before its request was complete") from None
    return parse(b"".join(chunks))


def id_of(request: Request, data: dict[str, Any], what: str, *, also: str = "instance_id") -> str:
    """Clients give it as `id` or as `also`, in the query or the body. Raises Failure."""
    query = request.query_params
    id_ = query.get("id") or values.text(data, "id") or values.text(data, also) or query.get(also)
    if not id_:
        raise Failure(f"id: is required, {what}")
    return id_


def _kind(data: object) -> str:
    return {list: "an array", str: "a string", type(None): "null", bool: "a boolean"}.get(type(data), "a number")
