"""Leaders follow each other: what one has not sent, or may not have, the next sends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any, cast

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from anka_kube.leader import LeaderElector
from anka_operator.cluster.stores import ClusterStores
from anka_operator.event_log import event_log
from anka_operator.event_log.event_log import MARK, EventLog
from anka_operator.settings import OperatorSettings
from support.manual_clock import ManualClock
from support.objects import START, instance


class Elector:
    """The annotations of a Lease that all leaders share."""

    def __init__(self, annotations: dict[str, str] | None = None) -> None:
        self.annotations = annotations or {}
        self._changed = asyncio.Event()

    def annotate(self, key: str, value: str) -> None:
        self.annotations[key] = value
        self._changed.set()

    async def until(self, true: Callable[[], bool]) -> None:
        while not true():
            self._changed.clear()
            await self._changed.wait()


class Endpoint:
    def __init__(self) -> None:
        self.url = ""
        self.code = 200
        self.seen: list[dict[str, Any]] = []
        self._changed = asyncio.Event()

    async def handle(self, request: web.Request) -> web.Response:
        self.seen.append(await request.json())
        self._changed.set()
        return web.Response(status=self.code)

    def names(self) -> list[tuple[str, str]]:
        return [(event["name"], event["instance_id"]) for event in self.seen]

    async def until(self, count: int) -> None:
        async with asyncio.timeout(20):
            while len(self.seen) < count:
                self._changed.clear()
                await self._changed.wait()


@pytest.fixture
async def endpoint() -> AsyncIterator[Endpoint]:
    found = Endpoint()
    app = web.Application()
    app.router.add_post("/", found.handle)
    async with TestServer(app) as server:
        found.url = str(server.make_url("/"))
        yield found


class Process:
    """One replica of the operator, whose watch the test plays."""

    def __init__(self, endpoint: Endpoint, clock: ManualClock) -> None:
        settings = OperatorSettings(_cli_parse_args=False, enable_event_log=True, event_log_url=endpoint.url)
        self.stores = ClusterStores()
        self.log = EventLog(self.stores, settings, clock)
        self._version = 1

    def list(self, *names: str) -> None:
        found = [instance(name) for name in names]
        self.stores.instances.replace(found, "1", self.stores.instances.begin_list())

    def see(self, name: str, **status: str) -> None:
        self._version += 1
        self.stores.instances.observe(instance(name, status=status, meta={"resourceVersion": str(self._version)}))

    @asynccontextmanager
    async def leading(self, elector: Elector) -> AsyncIterator[None]:
        async with self.log.deliver(cast(LeaderElector, elector)):
            yield


def mark(elector: Elector) -> datetime:
    return datetime.fromisoformat(elector.annotations[MARK])


async def test_the_first_leader_sends_what_happens_from_now_on(endpoint: Endpoint) -> None:
    clock, elector = ManualClock(), Elector()
    process = Process(endpoint, clock)
    process.list("old")
    clock.advance(3600)
    async with process.leading(elector):
        assert mark(elector) == clock.now(), "at once: it may be killed"
        process.see("new")
        process.see("old", phase="Started")
        await endpoint.until(2)
    assert endpoint.names() == [("StartVM", "uid-new"), ("VMStarted", "uid-old")]


async def test_a_standby_sends_what_the_leader_could_not(endpoint: Endpoint) -> None:
    clock, elector = ManualClock(), Elector()
    first, second = Process(endpoint, clock), Process(endpoint, clock)
    for process in (first, second):
        process.list()
    clock.advance(3600)
    endpoint.code = 503
    async with first.leading(elector):
        for process in (first, second):
            process.see("one")
        await endpoint.until(1)
        # It was killed in the middle: the mark is where it was.
        begun = mark(elector)
    clock.advance(7200)
    second.see("one", phase="Started")
    endpoint.code = 200
    elector.annotations[MARK] = begun.isoformat()
    async with second.leading(elector):
        await endpoint.until(3)
    assert endpoint.names() == [("StartVM", "uid-one"), ("StartVM", "uid-one"), ("VMStarted", "uid-one")]
    assert endpoint.seen[0]["event_id"] == endpoint.seen[1]["event_id"]
    assert mark(elector) == clock.now()


async def test_without_a_standby_the_objects_themselves_tell(endpoint: Endpoint) -> None:
    clock = ManualClock()
    clock.advance(10)
    for since, sent in ((-5, 1), (59, 1), (61, 0)):
        endpoint.seen.clear()
        elector = Elector({MARK: (START + timedelta(seconds=since)).isoformat()})
        process = Process(endpoint, clock)
        process.list("one")
        async with process.leading(elector):
            process.see("later")
            await endpoint.until(sent + 1)
        assert endpoint.names() == [("StartVM", "uid-one")] * sent + [("StartVM", "uid-later")]


async def test_what_a_standby_has_forgotten_is_said(
    endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    clock, elector = ManualClock(), Elector({MARK: START.isoformat()})
    process = Process(endpoint, clock)
    process.log._memory._most = 1000
    process.list(*(f"i{number}" for number in range(9)))
    async with process.leading(elector):
        await endpoint.until(1)
    assert "lines of the event log are lost: the last leader could not send them for too long" in caplog.text


async def test_a_mark_that_is_no_time_begins_anew(endpoint: Endpoint, caplog: pytest.LogCaptureFixture) -> None:
    clock, elector = ManualClock(), Elector({MARK: "yesterday"})
    process = Process(endpoint, clock)
    process.list("old")
    clock.advance(3600)
    async with process.leading(elector):
        assert mark(elector) == clock.now()
    assert "is no time" in caplog.text


async def test_the_mark_follows_while_it_leads(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_log, "MARK_SECONDS", 0.01)
    clock, elector = ManualClock(), Elector()
    process = Process(endpoint, clock)
    process.list()
    async with process.leading(elector):
        clock.advance(100)
        process.see("one")
        async with asyncio.timeout(20):
            await elector.until(lambda: mark(elector) == clock.now())
