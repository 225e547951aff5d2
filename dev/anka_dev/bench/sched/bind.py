"""Time from creation to binding with enough capacity: our operator and kube-scheduler in turn, on the same apiserver,
with the same client."""

from __future__ import annotations

import asyncio
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace

from anka_dev.bench import cluster_objects as world
from anka_dev.bench import pods
from anka_dev.bench.bench import Bench
from anka_dev.bench.figures import PeerFigure, percentile
from anka_dev.bench.load import Plan, run_load
from anka_dev.bench.load.plan import NAME
from anka_dev.bench.sched.contestants import Contestant, KubeScheduler, Ours, encode_contestant
from anka_dev.bench.usage import ProcessUsage
from anka_dev.bench.watcher import Watcher
from anka_dev.cloud import LocalCloud
from anka_kube.client import KubeClient

_OBJECTS, _NODES, _ROUNDS = 1500, 300, 5
_RATE, _RATE_SECONDS = 20.0, 6
_WARM_UP = 20
_PATIENCE_SECONDS = 600.0


@dataclass(frozen=True)
class Run:
    """One scheduler's turn."""

    per_second: float
    """From the first object seen to the last one bound."""
    latencies: list[float]
    """Seconds from made to bound, at _RATE."""
    usage: ProcessUsage


def run(bench: Bench) -> None:
    """The figures of `sched.bound…` and `sched.kube_scheduler…`."""
    directory = bench.directory / "sched"
    with LocalCloud(bench.cluster, directory) as cloud:
        sides = (Ours(cloud), KubeScheduler(bench, directory))
        try:
            asyncio.run(_measure(bench, cloud, sides, world.admin_token(bench.cluster, directory)))
        finally:
            for side in sides:
                side.stop()
            asyncio.run(_purge(bench))


async def _measure(bench: Bench, cloud: LocalCloud, sides: Sequence[Contestant], token: str) -> None:
    nodes, objects = bench.size(_NODES, 10), bench.size(_OBJECTS, 30)
    extra = _WARM_UP + int(_RATE * bench.size(_RATE_SECONDS, 1))
    runs: dict[str, list[Run]] = {side.name: [] for side in sides}
    async with world.admin(bench.cluster) as client:
        for side in sides:
            await side.prepare(client, nodes, -(-(objects + extra) // nodes))
        for turn in range(bench.size(_ROUNDS, 1)):
            for side in sides:
                bench.say(f"sched: {objects} on {nodes} nodes by {side.name} ({turn + 1}/{bench.size(_ROUNDS, 1)})")
                runs[side.name].append(await _Turn(bench, cloud, side, client, token).measure(objects))
    _report(bench, runs["anka"], runs["kube_scheduler"], objects)


class _Turn:
    def __init__(self, bench: Bench, cloud: LocalCloud, side: Contestant, client: KubeClient, token: str) -> None:
        self._bench = bench
        self._cloud = cloud
        self._side = side
        self._client = client
        self._watcher = Watcher({"bound": lambda raw: side.node_of(raw) is not None})
        self._bound = self._watcher.times["bound"]
        cluster = bench.cluster
        self._plan = Plan(
            url=cluster.server,
            path=side.resource.path(side.namespace),
            ca_file=str(cluster.ca_file),
            headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
            connections=16,
        )

    async def measure(self, objects: int) -> Run:
        self._side.start()
        async with self._watcher.following(self._client, self._side.resource, self._side.namespace):
            try:
                await self._create("warm", _WARM_UP)
                with self._bench.meter(self._cloud, self._side.pids).measure() as usage:
                    burst = await self._create("burst", objects)
                seconds = max(self._bound[name] for name in burst) - min(self._watcher.made[name] for name in burst)
                steady = int(_RATE * self._bench.size(_RATE_SECONDS, 1))
                paced = await self._create("paced", steady, rate=_RATE, connections=20)
            finally:
                self._side.stop()
                await self._remove()
        latencies = [self._bound[name] - self._watcher.made[name] for name in paced]
        return Run(objects / seconds, latencies, usage)

    async def _create(self, prefix: str, count: int, *, rate: float = 0.0, connections: int = 16) -> list[str]:
        """Create so many, and wait until all are bound."""
        names = [f"{prefix}-{number:05}" for number in range(count)]
        before = len(self._bound)
        plan = replace(
            self._plan, method="POST", body=encode_contestant(self._side), names=names, total=count, rate=rate,
            seconds=count / rate + 1 if rate else 0.0, connections=connections,
        )  # fmt: skip
        await asyncio.to_thread(run_load, plan)
        await self._watcher.until("bound", before + count, _PATIENCE_SECONDS, self._side.check)
        return names

    async def _remove(self) -> None:
        """Delete all objects, so that the next turn finds the same capacity."""
        names = list(self._watcher.made)
        if not names:
            return
        one = replace(self._plan, path=f"{self._plan.path}/{NAME}", names=names, total=len(names))
        if self._side.body()["metadata"].get("finalizers"):
            headers = {**self._plan.headers, "Content-Type": "application/merge-patch+json"}
            body = '{"metadata":{"finalizers":null}}'
            await asyncio.to_thread(run_load, replace(one, method="PATCH", body=body, headers=headers))
        await asyncio.to_thread(run_load, replace(one, method="DELETE"))


def _report(bench: Bench, ours: Sequence[Run], theirs: Sequence[Run], objects: int) -> None:
    """Medians of the turns; latencies of all turns together."""
    rates = [statistics.median(run.per_second for run in side) for side in (ours, theirs)]
    beside = PeerFigure("kube-scheduler", rates[1])
    bench.more("sched.bound_per_s", rates[0], "1/s", goal=rates[1], peers=[beside])
    bench.more("sched.kube_scheduler_bound_per_s", rates[1], "1/s")
    bench.more("sched.ratio_vs_kube_scheduler", rates[0] / rates[1], goal=1.0)
    for percent in (50, 99):
        mine, other = (
            percentile([latency for run in side for latency in run.latencies], percent) * 1e3 for side in (ours, theirs)
        )
        bench.less(f"sched.bind_p{percent}_ms_at_20", mine, "ms", peers=[PeerFigure("kube-scheduler", other)])
        bench.less(f"sched.kube_scheduler_bind_p{percent}_ms_at_20", other, "ms")
    for title, side in (("bound", ours), ("kube_scheduler_bound", theirs)):
        cpu = {role: sum(run.usage.cpu.get(role, 0.0) for run in side) for role in side[0].usage.cpu}
        for role, seconds in cpu.items():
            short = {"operator-1": "scheduler", "kube-scheduler": "scheduler", "kube-apiserver": "apiserver"}
            if role in ("operator-1", "kube-scheduler", "kube-apiserver", "etcd"):
                each = seconds / len(side) / objects * 1e3
                bench.less(f"sched.{title}_{short.get(role, role)}_cpu_ms", each, "ms")


async def _purge(bench: Bench) -> None:
    async with world.admin(bench.cluster) as client:
        await world.purge(client)
        await pods.purge(client)
