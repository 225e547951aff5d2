"""The API shim over a scripted Kubernetes API: everything real but the sockets of its clients and the apiserver."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from anka_crds.kube.config import Endpoint
from anka_crds.process.health import Health
from anka_shim.app import application
from anka_shim.process import services
from anka_shim.rest.edge import Edge
from anka_shim.services import Services
from anka_shim.settings import ShimSettings
from support.manual_clock import ManualClock
from support.scripted_api import ScriptedApi

TEMPLATE = "c12ccfa5-8757-411e-9505-128190e9854e"
TIMES = {"creationTimestamp": "2026-01-01T10:00:00Z"}


def populate(api: ScriptedApi) -> None:
    """One template with tags v1 and v2, one group, one node in it."""
    versions = [{"number": 0, "tag": "v1"}, {"number": 1, "tag": "v2"}]
    api.put("ankatemplates", TEMPLATE, "", spec={}, status={"name": "macos", "versions": versions}, metadata=TIMES)
    api.put("nodegroups", "ios", "", spec={"displayName": "iOS builds"}, metadata=TIMES)
    api.put("ankanodes", "mac-1", "", spec={"groups": ["ios"]}, status={"state": "Active"}, metadata=TIMES)


@dataclass
class Rig:
    api: ScriptedApi
    services: Services
    edge: Edge
    http: httpx.AsyncClient
    clock: ManualClock

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
async def rig(*, synced: bool = True, **settings: Any) -> AsyncIterator[Rig]:
    clock = ManualClock()
    async with ScriptedApi().serve() as api:
        populate(api)
        if not synced:
            api.missing.add("ankatemplates")
        chosen = ShimSettings(_cli_parse_args=False, **settings)
        async with services(chosen, Endpoint(server=api.url), Health(), clock) as running:
            edge = application(running)
            transport = httpx.ASGITransport(app=edge)
            async with httpx.AsyncClient(transport=transport, base_url="http://shim") as http:
                await api.until(lambda: api.open_streams == (5 if synced else 4))
                yield Rig(api, running, edge, http, clock)
