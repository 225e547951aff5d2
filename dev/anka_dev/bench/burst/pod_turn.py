"""The Pods' turn: kwok's nodes, kube-scheduler, and Pods made by as many clients, until all are Running."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

from anka_dev.bench import cluster_objects as world
from anka_dev.bench import pods
from anka_dev.bench.bench import Bench
from anka_dev.bench.burst.measured import Measured, costs, times
from anka_dev.bench.burst.size import CREATORS, START_SECONDS, Size
from anka_dev.bench.burst.writes import writes_of
from anka_dev.bench.load import Plan, run_load
from anka_dev.bench.node_watches import NodeWatches
from anka_dev.bench.usage import Meter
from anka_dev.bench.watcher import Watcher
from anka_dev.local_kubernetes import environment
from anka_kube.client import KubeClient
from localkube.controlplane.kwok import start_kwok
from localkube.controlplane.process import Component
from localkube.controlplane.readiness import exit_error
from localkube.controlplane.scheduler import start_kube_scheduler
from localkube.programs import versions

_CONTROL_PLANE = (*versions.COMPONENTS, versions.SCHEDULER)
_PATIENCE_SECONDS = 300.0
_FIRST = "first"


class PodTurn:
    """With `watched`, a watch of its own for every node's Pods is open meanwhile, as kubelets have."""

    def __init__(self, bench: Bench, size: Size, directory: Path, *, watched: bool) -> None:
        self._bench = bench
        self._size = size
        self._directory = directory
        self._watched = watched
        self._components: list[Component] = []
        self._watches: NodeWatches | None = None
        directory.mkdir(parents=True, exist_ok=True)
        self._kubeconfig = world.admin_kubeconfig(bench.cluster, directory)

    def run(self) -> Measured:
        """Times, costs, and writes, with programs that were just started. Nothing is left in the cluster."""
        try:
            with ExitStack() as stack:
                return asyncio.run(self._run(stack))
        finally:
            asyncio.run(_purge(self._bench))

    async def _run(self, stack: ExitStack) -> Measured:
        bench, size = self._bench, self._size
        bench.say(f"{size.name}: {size.macs} nodes by kwok" + (", each with a watch" if self._watched else ""))
        async with world.admin(bench.cluster) as client:
            await self._join(stack, client)
            if self._watched:
                self._watches = NodeWatches(self._kubeconfig, size.macs, self._directory / "node-watches.log")
                await asyncio.to_thread(stack.enter_context, self._watches)
            await self._first(stack, client)
            bench.say(f"{size.name}: {size.instances} Pods")
            return await self._measure(client)

    async def _join(self, stack: ExitStack, client: KubeClient) -> None:
        """Return once kwok plays the kubelet of every node."""
        size = self._size
        await pods.make_nodes(client, size.macs, size.slots, ready=False)
        watcher = Watcher({"ready": pods.is_node_ready})
        async with watcher.following(client, pods.NODES):
            env, say = environment(), self._bench.say
            kwok = await asyncio.to_thread(
                start_kwok, self._kubeconfig, self._directory, env, say, start_seconds=START_SECONDS
            )
            self._keep(stack, kwok)
            await watcher.until("ready", size.macs, _PATIENCE_SECONDS, self._check)

    async def _first(self, stack: ExitStack, client: KubeClient) -> None:
        """Return once a Pod became Running: only then kube-scheduler is known to work."""
        watcher = Watcher({"started": pods.is_running})
        async with watcher.following(client, pods.PODS, pods.NAMESPACE):
            scheduler = await asyncio.to_thread(
                start_kube_scheduler, self._kubeconfig, self._directory, environment(), self._bench.say
            )
            self._keep(stack, scheduler)
            await client.create(pods.PODS, pods.manifest(_FIRST), pods.NAMESPACE)
            await watcher.until("started", 1, _PATIENCE_SECONDS, self._check)
        await client.delete(pods.PODS, _FIRST, pods.NAMESPACE)

    async def _measure(self, client: KubeClient) -> Measured:
        size, cluster = self._size, self._bench.cluster
        watcher = Watcher({"bound": pods.is_bound, "started": pods.is_running})
        async with watcher.following(client, pods.PODS, pods.NAMESPACE):
            before = writes_of(cluster, "pods")
            with Meter(self._pids).measure() as usage:
                await asyncio.to_thread(run_load, self._creates())
                await watcher.until("started", size.instances, _PATIENCE_SECONDS, self._check)
            writes = writes_of(cluster, "pods") - before
        figures = times(watcher.made, watcher.times["bound"], watcher.times["started"])
        figures |= costs(usage, _CONTROL_PLANE, size.instances)
        figures["writes_per_start"] = writes / size.instances, ""
        return figures

    def _creates(self) -> Plan:
        cluster, total = self._bench.cluster, self._size.instances
        return Plan(
            url=cluster.server, path=pods.PODS.path(pods.NAMESPACE), method="POST", body=json.dumps(pods.manifest()),
            headers={"Authorization": f"Bearer {world.token_of(self._kubeconfig)}", "Content-Type": "application/json"},
            names=[f"pod-{number:05}" for number in range(total)], total=total, connections=CREATORS,
            ca_file=str(cluster.ca_file),
        )  # fmt: skip

    def _keep(self, stack: ExitStack, component: Component) -> None:
        stack.callback(component.stop)
        self._components.append(component)

    def _check(self) -> None:
        for component in self._components:
            if not component.running:
                raise exit_error(component)
        if self._watches is not None:
            self._watches.check()

    def _pids(self) -> Mapping[str, int]:
        return {**self._bench.cluster.pids, **{one.name: one.pid for one in self._components}}


async def _purge(bench: Bench) -> None:
    async with world.admin(bench.cluster) as client:
        await pods.purge(client)
