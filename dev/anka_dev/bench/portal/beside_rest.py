"""What open tabs do to the REST API: starts at a rate with and without them, in turn, while the cloud changes."""

from __future__ import annotations

import asyncio
import contextlib
import json
import uuid
from collections import defaultdict

from anka_dev.bench import cluster_objects as world
from anka_dev.bench.bench import Bench
from anka_dev.bench.load import Result
from anka_dev.bench.load.plan import merge_results
from anka_dev.bench.portal.open_tabs import open_tabs
from anka_dev.bench.rest.site import SHIM, VM, Site, plan
from anka_dev.bench.rest.writes import BODY
from anka_dev.bench.usage import ProcessUsage
from anka_dev.cloud import LocalCloud

_TABS = 50
_TURNS = (0, _TABS, _TABS, 0)
"""Tabs in each turn: a machine that becomes slower hits both alike."""
_RATE = 25.0
_CHANGES = 50.0
"""Of instances a second, by others."""


def run(bench: Bench) -> None:
    directory = bench.directory / "portal"
    names = [str(uuid.uuid4()) for _ in range(bench.size(1000, 20))]
    try:
        asyncio.run(_prepare(bench, names))
        with LocalCloud(bench.cluster, directory) as cloud:
            cloud.start_shim("--terminated-seconds=0")
            cloud.wait_ready()
            site = Site(bench, cloud, "")
            results: dict[int, list[Result]] = defaultdict(list)
            usages: dict[int, list[ProcessUsage]] = defaultdict(list)
            for tabs in _TURNS:
                bench.say(f"portal: POST {_RATE:g}/s with {tabs} tabs open")
                result, usage = asyncio.run(_measure(bench, site, names, bench.size(tabs, tabs // 10)))
                results[tabs].append(result)
                usages[tabs].append(usage)
    finally:
        asyncio.run(_purge(bench))
    alone, beside = merge_results(results[0]), merge_results(results[_TABS])
    bench.less("portal.rest_p50_ms", alone.ms(50), "ms")
    bench.less("portal.rest_p99_ms", alone.ms(99), "ms")
    bench.less("portal.rest_p50_ms_with_tabs", beside.ms(50), "ms")
    bench.less("portal.rest_p99_ms_with_tabs", beside.ms(99), "ms")
    bench.less("portal.rest_p99_ratio", beside.ms(99) / alone.ms(99), goal=1.1)
    for name, tabs in (("rest_shim_cpu_s", 0), ("rest_shim_cpu_s_with_tabs", _TABS)):
        bench.less(f"portal.{name}", sum(usage.cpu.get(SHIM, 0.0) for usage in usages[tabs]), "s")


async def _measure(bench: Bench, site: Site, names: list[str], tabs: int) -> tuple[Result, ProcessUsage]:
    load = plan(VM, method="POST", body=json.dumps(BODY), rate=_RATE, seconds=bench.size(20, 1), connections=100)
    async with world.admin(bench.cluster) as client:
        with open_tabs(site.cloud.url, tabs) if tabs else contextlib.nullcontext():
            changing = asyncio.create_task(world.keep_changing(client, _CHANGES, names))
            found = await asyncio.to_thread(site.shim, load)
            if changing.done():
                changing.result()
            changing.cancel()
    return found


async def _prepare(bench: Bench, names: list[str]) -> None:
    async with world.admin(bench.cluster) as client:
        await world.make_template(client)
        await world.make_instances(client, names)


async def _purge(bench: Bench) -> None:
    async with world.admin(bench.cluster) as client:
        await world.purge(client)
