"""One operator process: it leads or stands by, and ends cleanly."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from anka_kube.endpoint import Endpoint
from anka_operator.process import Operator
from anka_operator.settings import OperatorSettings
from anka_runtime.settings import load
from support.discoverable_api import DiscoverableApi

SECONDS = 60
FLAGS = (
    "--health-port=0", "--health-host=127.0.0.1",
    "--leader-lease-seconds=3", "--leader-renew-seconds=2", "--leader-retry-seconds=0.1",
)  # fmt: skip
LEASE = ("anka-system", "anka-operator")


@pytest.fixture
async def api() -> AsyncIterator[DiscoverableApi]:
    async with DiscoverableApi().serve() as api:
        yield api


@asynccontextmanager
async def process(api: DiscoverableApi, name: str) -> AsyncIterator[tuple[Operator, asyncio.Task[int]]]:
    operator = Operator(load(OperatorSettings, "anka-operator", [*FLAGS, f"--identity={name}"]), Endpoint(api.url))
    running = asyncio.create_task(operator.run())
    try:
        yield operator, running
    finally:
        operator._stop.set()
        await asyncio.wait_for(asyncio.gather(running, return_exceptions=True), SECONDS)


def holder(api: DiscoverableApi) -> str | None:
    lease = api.objects.get("leases", {}).get(LEASE)
    return lease["spec"].get("holderIdentity") if lease is not None else None


async def wait_working(api: DiscoverableApi, operator: Operator) -> None:
    """The leader is ready: it writes the status of a group."""
    api.put("nodegroups", "ios", "", spec={})
    await operator._cluster.stores.groups.wait_for(
        lambda store: (group := store.get("ios")) is not None and group.status.conditions, SECONDS
    )
    for _ in range(1000):  # its last controllers may only begin
        if operator._check_caches() is None:
            return
        await asyncio.sleep(0)
    raise AssertionError(operator._check_caches())


async def test_garbage_collection_passes_over_what_was_read_at_the_start(api: DiscoverableApi) -> None:
    gc.unfreeze()
    try:
        async with process(api, "one") as (operator, _):
            await wait_working(api, operator)
            assert gc.get_freeze_count() > 0
    finally:
        gc.unfreeze()


async def test_it_leads_and_gives_the_lease_back(api: DiscoverableApi) -> None:
    async with process(api, "one") as (operator, running):
        await wait_working(api, operator)
        assert holder(api) == "one"
        assert operator._check_watches() is None
        operator._stop.set()
        assert operator._check_stopping() == "the process is stopping"
        assert await asyncio.wait_for(running, SECONDS) == 0
    assert not holder(api)


async def test_another_stands_by_ready_and_takes_over(api: DiscoverableApi) -> None:
    async with process(api, "one") as (leader, running):
        await wait_working(api, leader)
        async with process(api, "two") as (standby, _):
            await api.until(lambda: bool(standby._cluster.sources))
            await asyncio.wait_for(standby._cluster.wait_synced(), SECONDS)
            assert standby._check_caches() is None
            leader._stop.set()
            await asyncio.wait_for(running, SECONDS)
            await api.until(lambda: holder(api) == "two", SECONDS)


async def test_a_lost_lease_makes_it_stand_by_and_lead_again(api: DiscoverableApi) -> None:
    async with process(api, "one") as (operator, running):
        await wait_working(api, operator)
        api.put("leases", LEASE[1], LEASE[0], spec={"holderIdentity": "other", "leaseDurationSeconds": 2})
        await api.until(lambda: not operator._working and not operator._elector.is_leading, SECONDS)
        # The other one is never heard of again.
        await api.until(lambda: holder(api) == "one" and operator._working, SECONDS)
        assert operator._check_caches() is None
        operator._stop.set()
        assert await asyncio.wait_for(running, SECONDS) == 0
    assert not holder(api)


async def test_before_it_has_read_everything_it_is_not_ready(api: DiscoverableApi) -> None:
    api.missing = {"nodegroups"}
    async with process(api, "one") as (operator, _):
        await api.until(lambda: any("nodegroups" in seen.path for seen in api.seen))
        assert "nodegroups" in (operator._check_caches() or "")
