"""What a full cloud costs at rest: CPU and memory of each process, and what is still written."""

from __future__ import annotations

import asyncio

from anka_dev.bench.api_counters import rates_of
from anka_dev.bench.scale.site import ONE_AGENT, ScaleSite

_SHORT = {
    "kube-apiserver": "apiserver",
    "etcd": "etcd",
    "kube-controller-manager": "controller_manager",
    "operator-1": "operator",
    "operator-2": "standby",
    "shim-1": "shim",
    ONE_AGENT: "agent",
}
_CPU_GOALS = {"operator": 3.0, "agent": 0.2}
_RSS_GOALS = {"operator": 300.0, "shim": 400.0, "agent": 50.0}
_WRITTEN = ("leases", "ankainstances", "ankanodes")


async def measure_idle(site: ScaleSite) -> None:
    """Percent of one core, and MiB, of each process; and writes a second."""
    await site.settle()
    site.say(f"at rest for {site.size.idle_seconds:g} s")
    before = await site.counters()
    with site.meter().measure() as usage:
        await asyncio.sleep(site.size.idle_seconds)
    after = await site.counters()
    site.check()
    for role, short in _SHORT.items():
        percent = usage.cpu[role] / usage.seconds * 100
        site.put(f"idle_{short}_percent", percent, "% of a core", goal=_CPU_GOALS.get(short))
        site.put(f"rss_{short}_mb", usage.rss_mib[role], "MiB", goal=_RSS_GOALS.get(short))
    # In memory, without an `anka` of their own.
    many = site.fleet_roles
    cpu, rss = sum(usage.cpu[role] for role in many), sum(usage.rss_mib[role] for role in many)
    site.put("idle_many_agents_percent", cpu / usage.seconds * 100, "% of a core")
    site.put("rss_many_agents_mb_each", rss / site.size.macs, "MiB")
    for resource, rate in rates_of(before, after, _WRITTEN).items():
        site.put(f"idle_{resource}_writes_per_s", rate, "1/s")
    site.put("idle_requests_per_s", (after.dispatched - before.dispatched) / (after.at - before.at), "1/s")
    site.put("open_watches", sum(after.open_watches.values()), better=None)
