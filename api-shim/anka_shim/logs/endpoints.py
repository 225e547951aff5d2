"""/api/v1/logs: what our processes have sent to the registry; /logs/file: one of these files."""

import contextlib
import json
import logging
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response, StreamingResponse

from anka_registry.errors import RegistryError
from anka_shim.failure import Failure
from anka_shim.http.answer import Failed
from anka_shim.http.envelope import ok
from anka_shim.http.header_text import attachment
from anka_shim.http.injection import inject
from anka_shim.http.openapi import REFUSALS, Responses, answers
from anka_shim.logs.answer import FILE, LogListOk, log_answer
from anka_shim.logs.central_logs import CentralLogs
from anka_shim.logs.request import LogFileQuery, LogQuery, select, select_one
from anka_shim.store.registry_watch import NO_REGISTRY

log = logging.getLogger(__name__)

router = APIRouter(tags=["Logs"])

FILE_RESPONSES: Responses = {
    **REFUSALS,
    200: {"description": "Its lines, the latest last: one JSON object each.", "content": {"text/plain": {}}},
    404: {"description": "No such log: `message` says why.", "model": Failed},
    502: {"description": "The registry does not deliver it: `message` says why.", "model": Failed},
}

Logs = Annotated[CentralLogs, inject(CentralLogs)]


@router.get(
    "/api/v1/logs", summary="List logs", responses=answers(LogListOk, fails=f"the logs are not known: {NO_REGISTRY}")
)
async def list_logs(logs: Logs, query: Annotated[LogQuery, Query()]) -> Response:
    """What agents, operator and shim have sent to the registry, by node: the agent's own log first."""
    return ok([log_answer(log, logs.namespace) for log in select(await logs.all(), query, logs.namespace)])


@router.get(FILE, summary="Download a log", responses=FILE_RESPONSES, response_class=StreamingResponse)
async def log_file(logs: Logs, query: Annotated[LogFileQuery, Query()]) -> Response:
    """Of the agent of `node_id` or of another `service` there, or of an instance. Text, without envelope."""
    try:
        found = select_one(await logs.all(), query, logs.namespace)
    except Failure as failure:
        raise Failure(failure.message, code=404) from failure
    if found is None:
        raise Failure("no such log: see /api/v1/logs", code=404)
    stack = contextlib.AsyncExitStack()
    try:
        chunks = await stack.enter_async_context(logs.content(found, query.last_bytes or 0))
    except RegistryError as error:
        raise Failure(str(error), code=502) from error
    headers = {"Content-Disposition": attachment(f"{found.service}-{found.machine_name}.log")}
    return StreamingResponse(_pass_on(stack, chunks), media_type="text/plain", headers=headers)


async def _pass_on(stack: contextlib.AsyncExitStack, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """An answer that has begun can no longer be refused: the last line says that it is incomplete."""
    try:
        async with stack:
            async for chunk in chunks:
                yield chunk
    except RegistryError as error:
        log.warning("a log is cut off: %s", error)
        yield b"\n" + json.dumps({"level": "ERROR", "message": f"cut off here: {error}"}).encode() + b"\n"
