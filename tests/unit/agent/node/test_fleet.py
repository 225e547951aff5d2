from __future__ import annotations

import asyncio
import math
from collections import Counter
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anka_agent.node.fleet import ASSUMED, LEAST_SECONDS, MOST_SECONDS, REQUESTS_PER_SECOND, FleetSize
from anka_kube.api_clock import ApiClock
from anka_kube.client import KubeClient
from anka_kube.endpoint import Endpoint
from anka_kube.pacing import SpreadPace
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


@pytest.fixture
def fleet() -> FleetSize:
    return FleetSize(KubeClient(Endpoint("http://nowhere.example")))


@pytest.mark.parametrize("macs", [1, 10, 250, 1000, 1800])
def test_all_macs_together_send_no_more_than_they_may(fleet: FleetSize, macs: int) -> None:
    """Where the least time does not make it less anyway."""
    fleet.macs = macs
    assert macs / fleet.spread().window() <= REQUESTS_PER_SECOND + 1e-6


def test_windows_have_bounds(fleet: FleetSize) -> None:
    fleet.macs = 1
    assert fleet.window() == LEAST_SECONDS
    fleet.macs = 1_000_000
    assert fleet.window() == MOST_SECONDS


HEARTBEATS_PER_SECOND = 87
"""Of 1,000 Macs."""


@pytest.mark.parametrize("rare", [0, 100, 200])
@given(seed=st.integers(0, 2**32))
@settings(max_examples=20)
def test_a_thousand_macs_are_back_within_30_seconds_and_below_200_requests_a_second(rare: int, seed: int) -> None:
    """`rare`: streams of saves and distributions that are open."""
    fleet, chance = FleetSize(KubeClient(Endpoint("http://nowhere.example"))), Random(seed)
    fleet.macs = 1000
    moments = [SpreadPace(fleet.spread(), chance.random).after_error() for _ in range(2 * fleet.macs + rare)]
    assert max(moments) < 30
    seconds = Counter(int(moment) for moment in moments)
    seconds.update(chance.choices(range(30), k=30 * HEARTBEATS_PER_SECOND))
    mean = 2 * REQUESTS_PER_SECOND + rare * REQUESTS_PER_SECOND / fleet.macs + HEARTBEATS_PER_SECOND
    assert mean + 35 < 200
    # One storm in a hundred has a second with more than 3.5 deviations above the mean; one in a million, with 5.5.
    assert max(seconds.values()) < mean + 5.5 * math.sqrt(mean)
