"""A proxy before the API that loses chosen events of watches, and lets all else pass."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import orjson
from aiohttp import web
from aiohttp.test_utils import TestServer

from anka_kube.endpoint import Endpoint

HOP = {"host", "connection", "transfer-encoding", "content-length", "accept-encoding", "authorization"}


class LossyProxy:
    """`loses`: whether an event, by its type and object, is lost. It speaks with the rights of `endpoint`."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.loses: Callable[[str, dict[str, Any]], bool] = lambda _type, _obj: False
        self.lost: list[str] = []
        self.url = ""
        self._endpoint = endpoint
        self._session: aiohttp.ClientSession

    @asynccontextmanager
    async def serve(self) -> AsyncIterator[LossyProxy]:
        app = web.Application(client_max_size=16 << 20)
        app.router.add_route("*", "/{path:.*}", self._pass_on)
        connector = aiohttp.TCPConnector(ssl=self._endpoint.ssl or True)
        async with aiohttp.ClientSession(connector=connector) as self._session, TestServer(app) as server:
            self.url = str(server.make_url("")).rstrip("/")
            yield self

    async def _pass_on(self, request: web.Request) -> web.StreamResponse:
        headers = {name: value for name, value in request.headers.items() if name.lower() not in HOP}
        headers |= await self._endpoint.credentials.headers()
        url = self._endpoint.server + request.path_qs
        body = await request.read()
        timeout = aiohttp.ClientTimeout(total=None)
        async with self._session.request(
            request.method, url, headers=headers, data=body or None, timeout=timeout
        ) as answer:
            kept = {name: value for name, value in answer.headers.items() if name.lower() not in HOP}
            kept.pop("Content-Encoding", None)
            if "watch" not in request.query or answer.status != 200:
                return web.Response(status=answer.status, headers=kept, body=await answer.read())
            response = web.StreamResponse(headers=kept)
            await response.prepare(request)
            async for line in answer.content:
                if not self._is_lost(line):
                    await response.write(line)
            return response

    def _is_lost(self, line: bytes) -> bool:
        event = orjson.loads(line)
        if event["type"] in ("BOOKMARK", "ERROR") or not self.loses(event["type"], event["object"]):
            return False
        self.lost.append(f"{event['type']} {event['object']['metadata']['name']}")
        return True
