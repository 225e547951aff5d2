from __future__ import annotations

import asyncio
import logging

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from anka_registry.client import RegistryClient
from anka_registry.errors import RegistryError
from anka_registry.models import RegistryDisk
from anka_shim.store.registry_watch import RegistryStatus, RegistryWatch, make_probe


class Over(Exception):
    """Ends the endless loop of a test."""


async def watched(answers: list[str | None]) -> tuple[RegistryWatch, list[RegistryStatus]]:
    """The watch after these answers, and its status after each."""
    left = list(answers)
    seen: list[RegistryStatus] = []

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
    await asyncio.wait_for(watch.run(), 60)
    assert (watch.url, watch.status) == ("", "FAIL")


@pytest.mark.parametrize(
    ("code", "answer", "trouble"),
    [
        (200, {"status": "OK", "message": "", "body": {"status": "Running", "version": "1.0"}}, None),
        (200, {"status": "FAIL", "message": "disk full"}, "disk full"),
        (500, {}, "HTTP 500"),
    ],
)
async def test_the_probe_asks_for_the_status(code: int, answer: dict[str, object], trouble: str | None) -> None:
    async def status(_: web.Request) -> web.Response:
        return web.json_response(answer, status=code)

    app = web.Application()
    app.router.add_get("/registry/status", status)
    async with TestServer(app) as server, RegistryClient(str(server.make_url(""))) as client:
        said = await make_probe(client)()
    assert said is None if trouble is None else trouble in str(said)


async def test_the_probe_says_what_is_wrong() -> None:
    async with RegistryClient("http://127.0.0.1:1") as client:
        assert "registry http://127.0.0.1:1 does not answer" in str(await make_probe(client)())


async def test_the_disk_is_known_while_the_registry_tells_it() -> None:
    answers: list[str | None] = [None, None, "away", None]
    disks: list[RegistryDisk | RegistryError] = [
        RegistryDisk(free=1, total=2),
        RegistryError("no disk"),
        RegistryDisk(),
    ]
    seen: list[tuple[RegistryDisk | None, str]] = []

    async def probe() -> str | None:
        return answers.pop(0)

    async def disk() -> RegistryDisk:
        found = disks.pop(0)
        if isinstance(found, RegistryError):
            raise found
        assert isinstance(found, RegistryDisk)
        return found

    async def sleep(_: float) -> None:
        seen.append((watch.disk, watch.disk_error))
        if not answers:
            raise Over

    watch = RegistryWatch("http://r", probe, disk, sleep=sleep)
    assert (watch.disk, watch.disk_error) == (None, "it was not asked yet")
    with pytest.raises(Over):
        await watch.run()
    assert seen == [
        (RegistryDisk(free=1, total=2), ""),
        (None, "no disk"),
        (None, "away"),
        (RegistryDisk(), ""),
    ]
    assert watch.status == "Running"
