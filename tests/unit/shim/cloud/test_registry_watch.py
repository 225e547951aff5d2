from __future__ import annotations

import asyncio
import logging

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from anka_shim.cloud.registry_watch import RegistryWatch, http_probe


class Over(Exception):
    """Ends the endless loop of a test."""


async def watched(answers: list[str | None]) -> tuple[RegistryWatch, list[str]]:
    """The watch after these answers, and its status after each."""
    left, seen = list(answers), []

    async def probe() -> str | None:
        return left.pop(0)

    async def sleep(_: float) -> None:
        seen.append(watch.status)
        if not left:
            raise Over

    watch = RegistryWatch("http://r", probe, sleep=sleep)
    assert watch.status == "FAIL"
    with pytest.raises(Over):
        await watch.run()
    return watch, seen


async def test_status_follows_the_answers_and_changes_are_told_once(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        _, seen = await watched([None, None, "refused", "refused", None])
    assert seen == ["Running", "Running", "FAIL", "FAIL", "Running"]
    assert [record.levelname for record in caplog.records] == ["INFO", "WARNING", "INFO"]


async def test_without_a_registry_there_is_nothing_to_ask() -> None:
    watch = RegistryWatch(None, None)
    await asyncio.wait_for(watch.run(), 5)
    assert (watch.url, watch.status) == ("", "FAIL")


@pytest.mark.parametrize(("code", "trouble"), [(200, None), (500, "HTTP 500")])
async def test_the_probe_asks_for_the_status(code: int, trouble: str | None) -> None:
    async def status(_: web.Request) -> web.Response:
        return web.json_response({}, status=code)

    app = web.Application()
    app.router.add_get("/registry/status", status)
    async with TestServer(app) as server, aiohttp.ClientSession() as session:
        assert await http_probe(session, str(server.make_url("")).rstrip("/"))() == trouble


async def test_the_probe_says_what_is_wrong() -> None:
    async with aiohttp.ClientSession() as session:
        assert "127.0.0.1" in (await http_probe(session, "http://127.0.0.1:1")() or "")
        assert await http_probe(session, "http://")()
