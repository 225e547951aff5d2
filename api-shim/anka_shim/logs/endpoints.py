"""/api/v1/logs: what our processes have sent to the registry; /logs/file, /logs/stream, /logs/archive: one of them."""

import contextlib
import json
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from anka_registry.errors import RegistryError
from anka_registry.models import RegistryLog
from anka_shim.failure import Failure
from anka_shim.http.answer import Failed
from anka_shim.http.envelope import ok
from anka_shim.http.header_text import attachment
from anka_shim.http.injection import inject
from anka_shim.http.openapi import REFUSALS, Responses, answers
from anka_shim.logs.answer import ARCHIVE, FILE, STREAM, LogListOk, log_answer
from anka_shim.logs.central_logs import CentralLogs
from anka_shim.logs.request import LogFileQuery, LogQuery, LogStreamQuery, OneLogQuery, select, select_one
from anka_shim.store.registry_watch import NO_REGISTRY

log = logging.getLogger(__name__)

router = APIRouter(tags=["Logs"])

TEXT = "text/plain"
ARCHIVED = "application/gzip"


def _responses(description: str, media_type: str) -> Responses:
    return {
        **REFUSALS,
        200: {"description": description, "content": {media_type: {}}},
        404: {"description": "No such log: `message` says why.", "model": Failed},
        502: {"description": "The registry does not deliver it: `message` says why.", "model": Failed},
    }


FILE_RESPONSES = _responses("Its lines, the latest last: one JSON object each.", TEXT)
STREAM_RESPONSES = _responses("The same, and each line that is added.", TEXT)
ARCHIVE_RESPONSES = _responses("A tar.gz with one file.", ARCHIVED)

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
    found = await _find(logs, query)
    headers = {"Content-Disposition": attachment(f"{found.service}-{found.machine_name}.log")}
    return await _answer(logs.content(found, query.last_bytes or 0), TEXT, headers)


@router.get(STREAM, summary="Follow a log", responses=STREAM_RESPONSES, response_class=StreamingResponse)
async def log_stream(logs: Logs, query: Annotated[LogStreamQuery, Query()]) -> Response:
    """The end of a log, and each line that is added to it. It ends after an hour, or when the shim stops: ask again."""
    found = await _find(logs, query)
    # A proxy that collects an answer before it sends it would show nothing.
    return await _answer(logs.live(found, query.last_bytes or 0), TEXT, {"X-Accel-Buffering": "no"})


@router.get(ARCHIVE, summary="Download a log as archive", responses=ARCHIVE_RESPONSES, response_class=StreamingResponse)
async def log_archive(logs: Logs, query: Annotated[OneLogQuery, Query()]) -> Response:
    """All that the registry has kept of a log, as tar.gz."""
    found = await _find(logs, query)
    headers = {"Content-Disposition": attachment(f"{found.service}-{found.machine_name}.tar.gz")}
    return await _answer(logs.archive(found), ARCHIVED, headers)


async def _find(logs: CentralLogs, query: OneLogQuery) -> RegistryLog:
    try:
        found = select_one(await logs.all(), query, logs.namespace)
    except Failure as failure:
        raise Failure(failure.message, code=404) from failure
    if found is None:
        raise Failure("no such log: see /api/v1/logs", code=404)
    return found


async def _answer(
    content: AbstractAsyncContextManager[AsyncIterator[bytes]], media_type: str, headers: Mapping[str, str]
) -> Response:
    stack = contextlib.AsyncExitStack()
    try:
        chunks = await stack.enter_async_context(content)
    except RegistryError as error:
        raise Failure(str(error), code=502) from error
    return LogDownload(content=_pass_on(stack, chunks, media_type), stack=stack, media_type=media_type, headers=headers)


class LogDownload(StreamingResponse):
    """Lets go of the registry also where the content is not read to its end, or not at all."""

    def __init__(self, *, stack: contextlib.AsyncExitStack, **options: Any) -> None:
        super().__init__(**options)
        self._stack = stack

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self._stack.aclose()


async def _pass_on(
    stack: contextlib.AsyncExitStack, chunks: AsyncIterator[bytes], media_type: str
) -> AsyncIterator[bytes]:
    """An answer that has begun can no longer be refused: the last line says that it is incomplete. An archive then
    lacks its end, which tar notices."""
    try:
        async with stack:
            async for chunk in chunks:
                yield chunk
    except RegistryError as error:
        log.warning("a log is cut off: %s", error)
        if media_type == TEXT:
            yield b"\n" + json.dumps({"level": "ERROR", "message": f"cut off here: {error}"}).encode() + b"\n"
