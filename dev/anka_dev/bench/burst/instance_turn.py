"""Our turn: Macs join, instances are started through REST, and one watch tells when each is made, bound, Started.

The times are the watch's, of one clock: the objects' own have a resolution of a second (metav1.Time).
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from anka_crds.api.defaults import CI_NAMESPACE
from anka_crds.resources import INSTANCES, NODES
from anka_dev.bench import cluster_objects as world
from anka_dev.bench.bench import OPERATOR_FLAGS, Bench
from anka_dev.bench.burst.fleet import ENDS
from anka_dev.bench.burst.fleet_process import FleetProcess, share_out
from anka_dev.bench.burst.measured import Measured, costs, times
from anka_dev.bench.burst.memory_anka import ends_of
from anka_dev.bench.burst.size import CREATORS, Size
from anka_dev.bench.burst.writes import writes_of
from anka_dev.bench.figures import percentile
from anka_dev.bench.load import Plan, run_load
from anka_dev.bench.watcher import Watcher
from anka_dev.cloud import LocalCloud
from localkube.errors import DevError

_PATIENCE_SECONDS = 300.0
_PROCESSES = 2
"""Of agents: a Mac's own work would run on that Mac; here it must at least not wait for one interpreter."""
_CONTROL_PLANE = ("operator-1", "shim-1", "kube-apiserver", "etcd", "kube-controller-manager")


class InstanceTurn:
    def __init__(self, bench: Bench, size: Size, directory: Path) -> None:
        self._bench = bench
        self._size = size
        self._directory = directory

    def run(self) -> Measured:
        """Times, costs, and writes, with programs that were just started. Nothing is left in the cluster."""
        bench, size = self._bench, self._size
        try:
            asyncio.run(_prepare(bench))
            with LocalCloud(bench.cluster, self._directory) as cloud, ExitStack() as stack:
                cloud.start_operator(*OPERATOR_FLAGS)
                # A start that gives up would void the figures; a slow one is part of them.
                cloud.start_shim("--write-seconds=30")
                cloud.wait_ready()
                bench.say(f"{size.name}: {size.macs} Macs join")
                fleets = [
                    stack.enter_context(FleetProcess(f"agents-{number}", bench.cluster, self._directory, share))
                    for number, share in enumerate(share_out(size.macs, size.slots, _PROCESSES), 1)
                ]
                return asyncio.run(self._measure(cloud, fleets))
        finally:
            asyncio.run(_purge(bench))

    async def _measure(self, cloud: LocalCloud, fleets: list[FleetProcess]) -> Measured:
        bench, size = self._bench, self._size
        await self._all_active(cloud, fleets)
        bench.say(f"{size.name}: {size.instances} starts")
        vms: dict[str, str] = {}

        def is_started(raw: dict[str, Any]) -> bool:
            if raw.get("status", {}).get("phase") != "Started":
                return False
            vms[raw["metadata"]["name"]] = raw["status"]["vm"]["uuid"]
            return True

        watcher = Watcher({"bound": _node_of, "started": is_started})

        def pids() -> Mapping[str, int]:
            return {fleet.component.name: fleet.component.pid for fleet in fleets}

        async with world.admin(bench.cluster) as client, watcher.following(client, INSTANCES, CI_NAMESPACE):
            before = writes_of(bench.cluster)
            with bench.meter(cloud, pids).measure() as usage:
                await asyncio.to_thread(run_load, self._starts(cloud))
                await watcher.until("started", size.instances, _PATIENCE_SECONDS, lambda: _check(cloud, fleets))
            writes = writes_of(bench.cluster) - before
        figures = times(watcher.made, watcher.times["bound"], watcher.times["started"])
        figures |= costs(usage, _CONTROL_PLANE, size.instances)
        figures["writes_per_start"] = writes / size.instances, ""
        ended = ends_of(list((self._directory / "agents").glob(f"*{ENDS}")))
        delays = [(watcher.times["started"][name] - ended[vm]) * 1e3 for name, vm in vms.items()]
        for percent in (50, 95):
            figures[f"start_ended_to_started_p{percent}_ms"] = percentile(delays, percent), "ms"
        return figures

    def _starts(self, cloud: LocalCloud) -> Plan:
        body = json.dumps({"vmid": world.TEMPLATE, "tag": world.TAG, "count": 1})
        return Plan(
            url=cloud.url, path="/api/v1/vm", method="POST", body=body, expects='{"status":"OK"',
            total=self._size.instances, connections=CREATORS,
        )  # fmt: skip

    async def _all_active(self, cloud: LocalCloud, fleets: list[FleetProcess]) -> None:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        async with world.admin(self._bench.cluster) as client:
            while True:
                nodes = (await client.list(NODES)).items
                ready = sum(node.status.state == "Active" and bool(node.status.templates) for node in nodes)
                if ready == self._size.macs:
                    return
                _check(cloud, fleets)
                if time.monotonic() > deadline:
                    raise DevError(f"{ready} of {self._size.macs} Macs are Active after {_PATIENCE_SECONDS:g} s")
                # Preparation, not measured.
                await asyncio.sleep(0.5)


def _check(cloud: LocalCloud, fleets: list[FleetProcess]) -> None:
    cloud.check()
    for fleet in fleets:
        fleet.check()


def _node_of(raw: dict[str, Any]) -> bool:
    return raw.get("status", {}).get("nodeName") is not None


async def _prepare(bench: Bench) -> None:
    async with world.admin(bench.cluster) as client:
        await world.make_template(client)


async def _purge(bench: Bench) -> None:
    async with world.admin(bench.cluster) as client:
        await world.purge(client)
