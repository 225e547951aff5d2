"""Heartbeats are read when somebody looks, once for all who do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from anka_kube.api_clock import ApiClock
from anka_kube.client import KubeClient
from anka_kube.endpoint import Endpoint
from anka_shim.node import heartbeats as module
from anka_shim.node.heartbeats import FRESH_SECONDS, NodeHeartbeats
from support.manual_clock import ManualClock
from support.scripted_api import Fault, ScriptedApi


class Desk:
    def __init__(self, api: ScriptedApi, client: KubeClient, clock: ManualClock) -> None:
        self.api, self.clock = api, clock
        self.heartbeats = NodeHeartbeats(client, "anka-nodes", clock)

    def beat(self, second: int) -> None:
        self.api.put("leases", "m1", "anka-nodes", spec={"renewTime": f"2026-01-01T00:00:{second:02}.000000Z"})

    @property
    def seen(self) -> int | None:
        found = self.heartbeats.get("m1")
        return found.at.second if found is not None and found.at is not None else None


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    clock = ManualClock()
    async with (
        ScriptedApi().serve() as api,
        KubeClient(Endpoint(api.url), ApiClock(clock), sleep=clock.sleep) as client,
    ):
        yield Desk(api, client, clock)


async def test_those_who_look_at_once_share_a_list(desk: Desk) -> None:
    desk.beat(1)
    await asyncio.gather(*(desk.heartbeats.refresh() for _ in range(50)))
    assert (desk.seen, desk.api.count("list")) == (1, 1)
    desk.beat(2)
    desk.clock.advance(FRESH_SECONDS - 0.1)
    await desk.heartbeats.refresh()
    assert (desk.seen, desk.api.count("list")) == (1, 1)
    desk.clock.advance(0.1)
    await desk.heartbeats.refresh()
    assert (desk.seen, desk.api.count("list")) == (2, 2)


async def test_an_api_that_refuses_leaves_what_was_there(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    desk.beat(1)
    await desk.heartbeats.refresh()
    desk.api.fail("list", Fault(403, "scripted"), times=2)
    for _ in range(2):
        desk.clock.advance(FRESH_SECONDS)
        await desk.heartbeats.refresh()
        assert desk.seen == 1
    assert caplog.text.count("heartbeats of nodes are not read") == 1, "said once"


async def test_an_api_that_hangs_keeps_nobody_waiting(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WAIT_SECONDS", 0.05)
    hanging = asyncio.Event()

    async def hang(*_: object, **__: object) -> None:
        await hanging.wait()

    monkeypatch.setattr(desk.heartbeats._client, "list", hang)
    async with asyncio.timeout(60):
        await desk.heartbeats.refresh()
    assert desk.seen is None
    desk.heartbeats._reading and desk.heartbeats._reading.cancel()
