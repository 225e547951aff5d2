"""The order of the measurements at each size, and how each figure grows from size to size."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from typing import Any

from anka_dev.bench.bench import Bench
from anka_dev.bench.figures import Figure, slope
from anka_dev.bench.scale.idle import measure_idle
from anka_dev.bench.scale.leader import measure_leader
from anka_dev.bench.scale.reads import measure_reads
from anka_dev.bench.scale.relists import measure_relists
from anka_dev.bench.scale.renewals import measure_renewals
from anka_dev.bench.scale.site import ScaleSite
from anka_dev.bench.scale.storms import measure_crd_change, measure_outage
from localkube.programs.versions import API_SERVER


def run(bench: Bench) -> None:
    """All `scale` figures, at the sizes that were asked for."""
    sizes = bench.scale_sizes
    for size in sizes:
        with ScaleSite(bench, size) as site:
            asyncio.run(_measure(site))
    for name, exponent in slopes(list(bench.figures), [size.macs for size in sizes]).items():
        bench.record(f"scale.slope.{name}", exponent)


async def _measure(site: ScaleSite) -> None:
    size = site.size
    site.say(f"{size.macs} Macs join")
    await _timed(site, "join_s", site.join())
    site.say("operators and shim start")
    await _timed(site, "first_sight_s", site.start_services())
    await site.start_one_agent()
    site.say(f"{size.running} instances start")
    await _start(site)
    site.say(f"{size.waiting} wait")
    await site.queue()
    await measure_idle(site)
    await measure_reads(site)
    await measure_relists(site)
    await measure_renewals(site)
    await measure_leader(site)
    await site.settle()
    await measure_crd_change(site)
    await site.settle()
    await measure_outage(site)


async def _timed(site: ScaleSite, name: str, work: Coroutine[Any, Any, None]) -> None:
    began = time.perf_counter()
    await work
    site.put(name, time.perf_counter() - began, "s", better=None)


async def _start(site: ScaleSite) -> None:
    size = site.size
    started = size.running + 1
    before = await site.counters()
    with site.meter().measure() as usage:
        await site.fill()
    after = await site.counters()
    site.put("start_s", usage.seconds, "s")
    site.put("start_apiserver_cpu_ms", usage.cpu[API_SERVER] / started * 1e3, "ms")
    site.put("start_operator_cpu_ms", usage.cpu["operator-1"] / started * 1e3, "ms")
    site.put("start_agents_cpu_ms", sum(usage.cpu[role] for role in site.fleet_roles) / started * 1e3, "ms")
    # Its reader was too slow, or the queue that the apiserver gives a watch too short.
    site.put("start_watches_cut_each", (after.cut - before.cut) / size.running)


def slopes(figures: list[Figure], sizes: list[int]) -> dict[str, float]:
    """The exponent of growth with the number of Macs, of each figure that all sizes have and none of them as 0."""
    if len(set(sizes)) < 2:
        return {}
    values = {figure.name: figure.value for figure in figures}
    first = f"scale{sizes[0]}."
    found = {}
    for name in (figure.name.removeprefix(first) for figure in figures if figure.name.startswith(first)):
        points = [(float(size), values.get(f"scale{size}.{name}", 0.0)) for size in sizes]
        if all(value > 0 for _, value in points):
            found[name] = slope(points)
    return found
