"""One burst: Macs join, instances are started through REST, and one watch tells when each is made, bound, Started.

The times are the watch's, of one clock: the objects' own have a resolution of a second (metav1.Time).
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from anka_crds.kube.kinds import INSTANCES, NODES
from anka_dev.bench import world
from anka_dev.bench.bench import OPERATOR_FLAGS, Bench
from anka_dev.bench.burst.alone import writes_alone
from anka_dev.bench.burst.anka import ends_of
from anka_dev.bench.burst.fleet import ENDS
from anka_dev.bench.burst.writes import writes_of
from anka_dev.bench.figures import Peer, percentile
from anka_dev.bench.load import Plan, run_load
from anka_dev.bench.usage import Usage
from anka_dev.bench.watcher import Watcher
from anka_dev.bench.world import NAMESPACE
from anka_dev.cloud import LocalCloud
from anka_dev.controlplane import Cluster
from anka_dev.controlplane.process import Component
from anka_dev.errors import DevError

_PATIENCE_SECONDS = 300.0
_PROCESSES = 2
"""Of agents: a Mac's own work would run on that Mac; here it must at least not wait for one interpreter."""
TOLD_MS = 150.0
"""From the end of `anka start` to Started, half of the VMs: the old controller hears of it with the next heartbeat."""
_OURS = ("operator-1", "shim-1", "kube-apiserver", "etcd", "kube-controller-manager")


@dataclass(frozen=True)
class Size:
    name: str
    instances: int
    macs: int
    slots: int
    goal_seconds: float


class Burst:
    def __init__(self, bench: Bench, size: Size) -> None:
        self._bench = bench
        self._size = size
        self._directory = bench.directory / size.name
        self._figures: dict[str, tuple[float, str]] = {}

    def run(self) -> None:
        # First: an apiserver that has never seen our kinds would be part of the figures.
        self._writes_alone()
        bench, size = self._bench, self._size
        try:
            asyncio.run(_prepare(bench))
            with LocalCloud(bench.cluster, self._directory) as cloud, ExitStack() as stack:
                cloud.start_operator(*OPERATOR_FLAGS)
                # A start that gives up would void the figures; a slow one is part of them.
                cloud.start_shim("--write-seconds=30")
                cloud.wait_ready()
                bench.say(f"{size.name}: {size.macs} Macs join")
                fleets = [stack.enter_context(_Fleet(self, number)) for number in range(_PROCESSES)]
                asyncio.run(self._measure(cloud, fleets))
        finally:
            asyncio.run(_purge(bench))

    def _writes_alone(self) -> None:
        bench, size = self._bench, self._size
        bench.say(f"{size.name}: the writes of {size.instances} starts, with nobody there")
        try:
            usage = asyncio.run(writes_alone(bench, size.instances))
        finally:
            asyncio.run(_purge(bench))
        self._figures["writes_alone_s"] = usage.seconds, "s"
        self._figures["writes_alone_cpu_s"] = usage.cpu["kube-apiserver"] + usage.cpu["etcd"], "s"

    def compare(self, peers: Mapping[str, Peer]) -> None:
        """Record what was measured, beside these peers."""
        for name, (value, unit) in self._figures.items():
            goal = {"last_started_s": self._size.goal_seconds, "start_ended_to_started_p50_ms": TOLD_MS}.get(name)
            self._bench.less(f"{self._size.name}.{name}", value, unit, goal=goal, peer=peers.get(name))

    async def _measure(self, cloud: LocalCloud, fleets: list[_Fleet]) -> None:
        bench, size = self._bench, self._size
        await self._all_active(cloud, fleets)
        bench.say(f"{size.name}: {size.instances} starts")
        vms: dict[str, str] = {}

        def started(raw: dict[str, Any]) -> bool:
            if raw.get("status", {}).get("phase") != "Started":
                return False
            vms[raw["metadata"]["name"]] = raw["status"]["vm"]["uuid"]
            return True

        watcher = Watcher({"bound": _node_of, "started": started})

        def pids() -> Mapping[str, int]:
            return {fleet.component.name: fleet.component.pid for fleet in fleets}

        async with world.admin(bench.cluster) as client, watcher.following(client, INSTANCES, NAMESPACE):
            before = writes_of(bench.cluster)
            with bench.meter(cloud, pids).measure() as usage:
                await asyncio.to_thread(run_load, self._starts(cloud))
                await watcher.until("started", size.instances, _PATIENCE_SECONDS, lambda: _check(cloud, fleets))
            writes = writes_of(bench.cluster) - before
        self._take(watcher, usage, writes)
        ended = ends_of(list((self._directory / "agents").glob(f"*{ENDS}")))
        told = [(watcher.times["started"][name] - ended[vm]) * 1e3 for name, vm in vms.items()]
        for percent in (50, 95):
            self._figures[f"start_ended_to_started_p{percent}_ms"] = percentile(told, percent), "ms"

    def _starts(self, cloud: LocalCloud) -> Plan:
        body = json.dumps({"vmid": world.TEMPLATE, "tag": world.TAG, "count": 1})
        return Plan(
            url=cloud.url, path="/api/v1/vm", method="POST", body=body, total=self._size.instances, connections=8,
            expects='{"status":"OK"',
        )  # fmt: skip

    async def _all_active(self, cloud: LocalCloud, fleets: list[_Fleet]) -> None:
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

    def _take(self, watcher: Watcher, usage: Usage, writes: int) -> None:
        made, bound, started = watcher.made, watcher.times["bound"], watcher.times["started"]
        first = min(made.values())
        for name, times in (("created", made), ("bound", bound), ("started", started)):
            self._figures[f"last_{name}_s"] = max(times.values()) - first, "s"
        for name, begun, ended in (
            ("created_to_bound", made, bound),
            ("bound_to_started", bound, started),
            ("created_to_started", made, started),
        ):
            took = [ended[key] - begun[key] for key in ended]
            for percent, short in ((50, "p50"), (95, "p95"), (100, "max")):
                self._figures[f"{name}_{short}_s"] = percentile(took, percent), "s"
        self._figures["writes_per_start"] = writes / self._size.instances, ""
        cloud = [role for role in usage.cpu if role in _OURS]
        self._figures["cpu_s"] = sum(usage.cpu[role] for role in cloud), "s"
        self._figures["rss_mb"] = sum(usage.rss_mib[role] for role in cloud), "MiB"
        for role in usage.cpu:
            short = role.removesuffix("-1").replace("-", "_") if role in _OURS else ""
            if short:
                self._figures[f"cpu_{short}_s"] = usage.cpu[role], "s"
                self._figures[f"rss_{short}_mb"] = usage.rss_mib[role], "MiB"
        self._figures["cpu_agents_s"] = sum(cpu for role, cpu in usage.cpu.items() if role not in _OURS), "s"

    @property
    def size(self) -> Size:
        return self._size

    @property
    def directory(self) -> Path:
        return self._directory

    @property
    def cluster(self) -> Cluster:
        return self._bench.cluster


class _Fleet:
    """A share of the Macs, in a process of its own; a context manager."""

    def __init__(self, burst: Burst, number: int) -> None:
        size = burst.size
        each = size.macs // _PROCESSES
        name = f"agents-{number + 1}"
        argv = [
            sys.executable, "-m", "anka_dev.bench.burst.fleet", f"--kubeconfig={burst.cluster.kubeconfig}",
            f"--ca-file={burst.cluster.ca_file}",
            f"--directory={burst.directory / 'agents'}", f"--first={number * each}", f"--macs={each}",
            f"--slots={size.slots}",
        ]  # fmt: skip
        self._log = burst.directory / "logs" / f"{name}.log"
        self.component = Component(name, argv, self._log, burst.directory)

    def check(self) -> None:
        """DevError when it ended."""
        if not self.component.running:
            raise DevError(f"{self.component.name} ended with code {self.component.exit_code} (log: {self._log})")

    def __enter__(self) -> _Fleet:
        return self

    def __exit__(self, *_: object) -> None:
        self.component.stop()


def _check(cloud: LocalCloud, fleets: list[_Fleet]) -> None:
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
