from __future__ import annotations

import asyncio

import pytest

from anka_agent.node.fleet import (
    ASSUMED,
    LEAST_SECONDS,
    MOST_SECONDS,
    REQUESTS_PER_SECOND,
    SHARES,
    FleetSize,
)
from anka_kube.api_clock import ApiClock
from anka_kube.client import KubeClient
from anka_kube.endpoint import Endpoint
from support.manual_clock import ManualClock
from support.scripted_api import Fault, ScriptedApi


async def test_it_follows_the_number_of_macs() -> None:
    async with ScriptedApi().serve() as api, KubeClient(Endpoint(api.url), ApiClock(ManualClock())) as client:
        for number in range(300):
            api.put("ankanodes", f"mac-{number}", "")
        waits: list[float] = []
        asked, naps = asyncio.Semaphore(0), asyncio.Semaphore(0)

        async def sleep(seconds: float) -> None:
            waits.append(seconds)
            asked.release()
            await naps.acquire()

        fleet = FleetSize(client, sleep=sleep)
        assert fleet.macs == ASSUMED
        work = asyncio.create_task(fleet.run())
        await asked.acquire()
        assert fleet.macs == 300
        assert api.seen[0].query == {"limit": "1"}, "one of them is read"
        for number in range(299):
            api.remove("ankanodes", f"mac-{number}", "")
        api.fail("list", Fault(503))
        for macs in (300, 1):  # an API that does not answer changes nothing
            naps.release()
            await asked.acquire()
            assert fleet.macs == macs
        for _ in range(4):
            naps.release()
            await asked.acquire()
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
    assert 30 <= waits[0] <= 60, "others may be about to start"
    assert waits[:4] == sorted(waits[:4])
    assert 1800 <= waits[-1] <= 3600


@pytest.mark.parametrize("macs", [1, 10, 250, 1000, 1800])
def test_all_macs_together_send_no_more_than_they_may(macs: int) -> None:
    """Where the least time does not make it less anyway."""
    fleet = FleetSize(KubeClient(Endpoint("http://nowhere.example")))
    fleet.macs = macs
    rates = [macs / fleet.spread(watch).window() for watch in SHARES]
    assert sum(rates) <= REQUESTS_PER_SECOND + 1e-6
    assert sum(SHARES.values()) == pytest.approx(1.0)


def test_windows_have_bounds() -> None:
    fleet = FleetSize(KubeClient(Endpoint("http://nowhere.example")))
    fleet.macs = 1
    assert fleet.window(1.0) == LEAST_SECONDS
    fleet.macs = 1_000_000
    assert fleet.window(1.0) == MOST_SECONDS
    fleet.macs = 1000
    assert fleet.spread("instances").window() < 30, "the goal: all instances are watched again within 30 s"
