"""Pools are counted at once when they change, then once a minute."""

from __future__ import annotations

from anka_operator.mac_pools.controller import COUNT_SECONDS, MacPoolController
from support.objects import instance, mac_pool
from support.operator_rig import Rig


def numbers(rig: Rig, name: str = "pool") -> tuple[int | None, int | None, int | None]:
    pool = rig.cluster.stores.pools.get(name)
    assert pool is not None
    return pool.status.free, pool.status.in_use, pool.status.resting


async def count(rig: Rig, controller: MacPoolController) -> tuple[int | None, int | None, int | None]:
    """After its own write, which wakes it."""
    for _ in range(2):
        await controller.run_once()
    return numbers(rig)


async def test_a_new_pool_is_counted_at_once_and_then_rarely(rig: Rig) -> None:
    controller = MacPoolController(rig.cluster, rig.clock)
    running = {"nodeName": "mac-1", "macAddress": "02:00:00:00:00:02"}
    await rig.put(instance(status=running), mac_pool(rest=90))
    assert await count(rig, controller) == (2, 1, 0)
    await rig.put(instance("two", status={**running, "macAddress": "02:00:00:00:00:03"}))
    await rig.remove(instance())
    controller.wake()
    assert await count(rig, controller) == (2, 1, 0)
    assert len(rig.writes()) == 1
    rig.clock.advance(COUNT_SECONDS)
    assert await count(rig, controller) == (1, 1, 1)
    rig.clock.advance(COUNT_SECONDS)
    assert await count(rig, controller) == (2, 1, 0)
    rig.clock.advance(COUNT_SECONDS)
    await count(rig, controller)
    assert len(rig.writes()) == 3


async def test_a_changed_pool_is_counted_at_once(rig: Rig) -> None:
    controller = MacPoolController(rig.cluster, rig.clock)
    await rig.put(mac_pool())
    assert await count(rig, controller) == (3, 0, 0)
    await rig.put(mac_pool("pool", ("00:01", "00:09"), meta={"generation": 2}))
    assert await count(rig, controller) == (9, 0, 0)
