"""The API shim over a scripted Kubernetes API: everything real but the sockets of its clients and the apiserver."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from fastapi import FastAPI
from pydantic_settings import SettingsConfigDict

from anka_kube.endpoint import Endpoint
from anka_runtime.health import HealthChecks
from anka_runtime.tls_files import TlsFiles
from anka_shim.assembly import Services, application, services
from anka_shim.http.authentication import AccessPolicy, Gate
from anka_shim.http.connection_budget import ConnectionBudget
from anka_shim.http.edge import Edge
from anka_shim.http.methods import ImpliedMethods
from anka_shim.http.server import listen, make_server
from anka_shim.http.simple_reads import SimpleReads
from anka_shim.portal.pages.entrance import BrowserEntrance
from anka_shim.portal.stream.endpoints import STREAM_PATH
from anka_shim.settings import ShimSettings
from support.manual_clock import ManualClock
from support.scripted_api import ScriptedApi

TEMPLATE = "c12ccfa5-8757-411e-9505-128190e9854e"
TIMES = {"creationTimestamp": "2026-01-01T10:00:00Z"}

STREAMS = 6
"""Kinds that the shim watches, without API keys."""


def populate(api: ScriptedApi) -> None:
    """One template with tags v1 and v2, one group, one node in it."""
    versions = [{"number": 0, "tag": "v1"}, {"number": 1, "tag": "v2"}]
    api.put("ankatemplates", TEMPLATE, "", spec={}, status={"name": "macos", "versions": versions}, metadata=TIMES)
    api.put("nodegroups", "ios", "", spec={"displayName": "iOS builds"}, metadata=TIMES)
    api.put("ankanodes", "mac-1", "", spec={"groups": ["ios"]}, status={"state": "Active"}, metadata=TIMES)


class CommandLineSettings(ShimSettings):
    """The command line makes settings of a subclass, too. Its parser is not built: there is none."""

    model_config = SettingsConfigDict(cli_parse_args=None)


@dataclass
class Rig:
    api: ScriptedApi
    services: Services
    edge: Edge
    http: httpx.AsyncClient
    clock: ManualClock

    @property
    def gate(self) -> Gate:
        entrance = self.edge._app
        assert isinstance(entrance, BrowserEntrance)
        assert isinstance(entrance._app, Gate)
        return entrance._app

    @property
    def reads(self) -> SimpleReads:
        methods = self.gate._app
        assert isinstance(methods, ImpliedMethods)
        assert isinstance(methods._app, SimpleReads)
        return methods._app

    @property
    def api_app(self) -> FastAPI:
        """What has the routes."""
        assert isinstance(self.reads._app, FastAPI)
        return self.reads._app

    async def call(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        """The envelope of an answer with HTTP 200."""
        response = await self.http.request(method, path, **options)
        assert response.status_code == 200, response.text
        answer = response.json()
        assert isinstance(answer, dict)
        return answer

    async def start(self, **parameters: Any) -> dict[str, Any]:
        return await self.call("POST", "/api/v1/vm", json={"vmid": TEMPLATE, **parameters})

    async def body(self, method: str, path: str, **options: Any) -> Any:
        """The body of an answer that is OK."""
        answer = await self.call(method, path, **options)
        assert answer["status"] == "OK", answer
        return answer.get("body")

    async def message(self, method: str, path: str, **options: Any) -> str:
        """The message of an answer that is FAIL."""
        answer = await self.call(method, path, **options)
        assert answer["status"] == "FAIL", answer
        assert "body" not in answer
        return str(answer["message"])


@asynccontextmanager
async def listening(
    app: Any,
    *,
    keep_alive_seconds: int = 5,
    trusted_proxies: str = "",
    most: int = 1000,
    most_per_client: int = 500,
    tls: TlsFiles | None = None,
) -> AsyncIterator[tuple[str, int]]:
    """The real server, on a port of its own."""
    connections = ConnectionBudget(most=most, most_per_client=most_per_client)
    server = make_server(
        app,
        connections=connections,
        keep_alive_seconds=keep_alive_seconds,
        trusted_proxies=trusted_proxies,
        tls=tls,
        websockets=(STREAM_PATH.encode(),),
    )
    with listen("127.0.0.1", 0) as sock:
        task = asyncio.create_task(server.serve(sockets=[sock]))
        yield sock.getsockname()[:2]
        server.should_exit = True
        await task


@asynccontextmanager
async def rig(*, synced: bool = True, policy: AccessPolicy | None = None, **settings: Any) -> AsyncIterator[Rig]:
    clock = ManualClock()
    async with ScriptedApi().serve() as api:
        populate(api)
        if not synced:
            api.missing.add("ankatemplates")
        chosen = CommandLineSettings(**{"allowed_hosts": "*", **settings})
        async with services(chosen, Endpoint(server=api.url), HealthChecks(), clock) as running:
            edge = application(running, policy)
            transport = httpx.ASGITransport(app=edge)
            async with httpx.AsyncClient(transport=transport, base_url="http://shim") as http:
                streams = len(running.stores.all) - (0 if synced else 1)
                await api.until(lambda: api.open_streams == streams)
                yield Rig(api, running, edge, http, clock)
