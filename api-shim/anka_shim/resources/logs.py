"""/api/v1/logs: what agents have sent to the registry; /logs/file: one of these files.

The old controller showed logs in its portal only, and no source has how: the shape is ours.
"""

from __future__ import annotations

import contextlib
import json
import logging
from collections.abc import AsyncIterator
from typing import Any

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from anka_crds.registry.errors import RegistryError
from anka_shim.rest.envelope import fail, ok
from anka_shim.rest.openapi import described
from anka_shim.schema.envelope import Failed
from anka_shim.schema.log import LogList
from anka_shim.services import Services
from anka_shim.translate import log as translate
from anka_shim.translate.failure import Failure

log = logging.getLogger(__name__)

TAG = "Logs"
PATH = "/api/v1/logs"
NODE = {"name": "node_id", "in": "query", "schema": {"type": "string"}, "description": "Of this node."}
INSTANCE = {"name": "instance_id", "in": "query", "schema": {"type": "string"}, "description": "Of this instance."}
LAST_BYTES = {
    "name": "last_bytes",
    "in": "query",
    "schema": {"type": "integer", "minimum": 1, "maximum": translate.MOST_BYTES, "default": translate.USUAL_BYTES},
    "description": "No more than the end of it.",
}
FILE: dict[str, Any] = {
    "tags": [TAG],
    "summary": "Download a log",
    "response_model": None,
    "responses": {
        200: {"description": "Its lines, the latest last: one JSON object each.", "content": {"text/plain": {}}},
        404: {"description": "No such log: `message` says why.", "model": Failed},
        502: {"description": "The registry does not give it: `message` says why.", "model": Failed},
    },
    "openapi_extra": {"parameters": [NODE, INSTANCE, LAST_BYTES]},
}


def register(app: FastAPI, services: Services) -> None:
    """Add the endpoints to the application."""

    @app.get(
        PATH,
        **described(
            TAG,
            "List logs",
            gives=LogList,
            parameters=[NODE, INSTANCE],
            fails="the logs are not known: the API shim was started without --registry-url",
        ),
    )
    async def list_logs(request: Request) -> Response:
        """What agents have sent to the registry, by node: the agent's own log first, then those of instances."""
        wanted = translate.read(dict(request.query_params))
        return ok(translate.rows(await services.logs.all(), wanted))

    @app.get(translate.FILE, **FILE)
    async def log_file(request: Request) -> Response:
        """Of the agent of `node_id`, or of an instance. Text, without envelope."""
        try:
            wanted = translate.read(dict(request.query_params))
            found = translate.one_of(await services.logs.all(), wanted)
        except Failure as failure:
            return fail(failure.message, code=404)
        if found is None:
            return fail("no such log: see /api/v1/logs", code=404)
        stack = contextlib.AsyncExitStack()
        try:
            chunks = await stack.enter_async_context(services.logs.content(found, wanted.last_bytes))
        except RegistryError as error:
            return fail(str(error), code=502)
        name = f"{found.service}-{found.machine_name}.log"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return StreamingResponse(_passed(stack, chunks), media_type="text/plain", headers=headers)


async def _passed(stack: contextlib.AsyncExitStack, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """What was begun cannot be refused any more: the last line says that it is not all."""
    try:
        async with stack:
            async for chunk in chunks:
                yield chunk
    except RegistryError as error:
        log.warning("a log is cut off: %s", error)
        yield b"\n" + json.dumps({"level": "ERROR", "message": f"cut off here: {error}"}).encode() + b"\n"
