"""The server with invented rows speaks the stream that the shim speaks."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import ClientSession, ClientWebSocketResponse
from aiohttp.test_utils import TestServer
from yarl import URL

from anka_dev.portal.serve import PLACE, make_app

SECONDS = 30.0


@asynccontextmanager
async def serving(**options: Any) -> AsyncIterator[tuple[ClientSession, str]]:
    async with TestServer(make_app(**options)) as server, ClientSession() as session:
        yield session, f"http://127.0.0.1:{server.port}"


async def receive(socket: ClientWebSocketResponse, kind: str) -> dict[str, Any]:
    """The next message of this type."""
    while True:
        message: dict[str, Any] = await socket.receive_json(timeout=SECONDS)
        if message["type"] == kind:
            return message


async def test_rows_and_then_what_changes() -> None:
    async with serving(rate=100) as (session, url), session.ws_connect(f"{url}/portal/v1/stream") as socket:
        await socket.send_json({"type": "open", "kinds": ["nodes", "instances"], "since": {}})
        hello = await receive(socket, "hello")
        assert hello["session"]["rights"] is None
        snapshots = [await receive(socket, "snapshot") for _ in range(2)]
        assert [(one["kind"], len(one["rows"])) for one in snapshots] == [("nodes", 200), ("instances", 1000)]
        known = {row["id"] for one in snapshots for row in one["rows"]}
        delta = await receive(socket, "delta")
        rows = [row for change in delta["changes"].values() for row in change["upsert"]]
        assert rows
        assert {row["id"] for row in rows} <= known


@pytest.mark.parametrize(
    ("options", "part"),
    [
        ({"rights": ["list_vms"]}, {"rights": ["list_vms"]}),
        ({"authentication": False}, {"authentication": False, "login": "none"}),
    ],
)
async def test_sessions(options: dict[str, Any], part: dict[str, Any]) -> None:
    async with serving(**options) as (session, url), session.get(f"{url}/portal/v1/session") as response:
        body = (await response.json())["body"]
    assert body | part == body


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/portal/", 200),
        (PLACE + "main.js", 200),
        (PLACE + "nothing.js", 404),
        (PLACE + "%2e%2e/package.json", 404),
    ],
)
async def test_files(path: str, status: int) -> None:
    async with serving() as (session, url), session.get(URL(url + path, encoded=True)) as response:
        assert response.status == status
        if status == 200:
            assert "require-trusted-types-for 'script'" in response.headers["Content-Security-Policy"]
