"""The legacy API over many objects: the list of all, and one of them."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from anka_dev.bench import cluster_objects as world
from anka_dev.bench.load import Plan, Result, run_load
from anka_dev.bench.load.plan import NAME
from anka_dev.bench.scale.site import ScaleSite

_VM = "/api/v1/vm"
_OK = '{"status":"OK"'
_CHANGES_PER_SECOND = 10.0
_POLLS_PER_SECOND = 2.0


async def measure_reads(site: ScaleSite) -> None:
    """Latencies in milliseconds, rates a second."""
    seconds = site.bench.size(5, 1)
    site.say("REST: list of all, one instance")
    listed = await _load(site, Plan("", _VM, seconds=seconds, warm_up=2))
    site.put("list_p50_ms", listed.ms(50), "ms")
    site.put("list_p99_ms", listed.ms(99), "ms", goal=100)
    site.put("list_bytes", listed.bytes_each, "B", better=None)
    site.put("list_per_s", listed.per_second, "1/s", better="more")
    gets = Plan("", f"{_VM}?id={NAME}", names=site.running, seconds=seconds, warm_up=50)
    one = await _load(site, gets)
    site.put("get_p50_ms", one.ms(50), "ms")
    site.put("get_p99_ms", one.ms(99), "ms")
    eight = await _load(site, replace(gets, connections=8))
    site.put("get_per_s_c8", eight.per_second, "1/s", better="more", goal=2000)
    async with site.client() as client:
        changing = asyncio.create_task(world.keep_changing(client, _CHANGES_PER_SECOND, site.running))
        polls = Plan("", _VM, seconds=seconds, rate=_POLLS_PER_SECOND, connections=20)
        polled = await _load(site, polls)
        if changing.done():
            changing.result()
        changing.cancel()
    site.put("list_changing_p50_ms", polled.ms(50), "ms")
    site.put("list_changing_p99_ms", polled.ms(99), "ms")


async def _load(site: ScaleSite, plan: Plan) -> Result:
    return await asyncio.to_thread(run_load, replace(plan, url=site.cloud.url, expects=_OK))
