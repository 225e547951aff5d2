"""What ends all watches at once: CustomResourceDefinitions that change, as at an upgrade, and an apiserver that was
away."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import psutil
import yaml

from anka_dev.bench.api_counters import ApiCounters, are_open, have_ended
from anka_dev.bench.scale.site import ScaleSite
from anka_dev.bench.scale.storm import Storm
from anka_dev.bench.usage import ProcessUsage
from anka_dev.repository import CRDS
from localkube.controlplane.cluster import apply
from localkube.programs.versions import API_SERVER


async def measure_crd_change(site: ScaleSite) -> None:
    """A description of every kind changes in one `kubectl apply`, as in `helm upgrade`."""
    changed = touch(sorted(CRDS.glob("*.yaml")), site.directory / "crds")
    site.say("a description of every CRD changes")
    before, since = await site.counters(), datetime.now(UTC)
    with site.meter().measure() as usage:
        storm = Storm(site, "crd", before)
        await asyncio.to_thread(apply, site.cluster, changed)
        await storm.until_back(lambda now, kinds: have_ended(before, now, kinds) and are_open(before, now, kinds))
    storm.put()
    site.put("crd_apiserver_cpu_s", usage.cpu[API_SERVER], "s")
    _put_usage(site, "crd", usage)
    site.put("crd_macs_offline", await storm.count_offline(since), goal=0)


async def measure_outage(site: ScaleSite) -> None:
    """The apiserver is killed, and starts again after a while. Times are since its start."""
    before, since = await site.counters(), datetime.now(UTC)
    site.say(f"{API_SERVER} is killed, for {site.size.down_seconds:g} s")
    site.cluster.kill(API_SERVER)
    await asyncio.sleep(site.size.down_seconds)
    site.say(f"{API_SERVER} starts")
    with site.meter(without=API_SERVER).measure() as usage:
        # Its counters begin with it.
        storm = Storm(site, "down", ApiCounters(time.perf_counter(), 0.0, 0.0, 0.0, {}, {}, {}))
        starting = asyncio.create_task(asyncio.to_thread(site.cluster.restart, API_SERVER))
        await storm.until_back(lambda now, kinds: are_open(before, now, kinds))
        await starting
    storm.put()
    site.put("down_apiserver_cpu_s", _cpu_since_start(site.cluster.pids[API_SERVER]), "s")
    _put_usage(site, "down", usage)
    site.put("down_macs_offline", await storm.count_offline(since), goal=0)


def touch(files: Iterable[Path], folder: Path) -> Path:
    """Copies in `folder` whose kinds have another description."""
    folder.mkdir(parents=True, exist_ok=True)
    for file in files:
        definition = yaml.safe_load(file.read_text())
        for version in definition["spec"]["versions"]:
            schema = version["schema"]["openAPIV3Schema"]
            schema["description"] = f"{schema.get('description', '')} Another description.".strip()
        (folder / file.name).write_text(yaml.safe_dump(definition))
    return folder


def _put_usage(site: ScaleSite, name: str, usage: ProcessUsage) -> None:
    site.put(f"{name}_operators_cpu_s", sum(usage.cpu[one.name] for one in site.cloud.operators), "s")
    site.put(f"{name}_shim_cpu_s", usage.cpu["shim-1"], "s")
    agents = sum(usage.cpu[role] for role in site.fleet_roles)
    site.put(f"{name}_agent_cpu_ms_each", agents / site.size.macs * 1e3, "ms")


def _cpu_since_start(pid: int) -> float:
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)
