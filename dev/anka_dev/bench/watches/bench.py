"""The three writes of a start while each of many Macs watches: nothing, its instances by a selector, or one small
object by its name, into which somebody writes what was bound (decision 18)."""

from __future__ import annotations

import asyncio
import statistics
from contextlib import ExitStack

from anka_crds.api.defaults import CI_NAMESPACE, NODE_NAMESPACE
from anka_crds.api.meta import FINALIZER
from anka_crds.resources import INSTANCES
from anka_dev.bench import cluster_objects as world
from anka_dev.bench.bench import Bench
from anka_dev.bench.node_watches import NodeWatches
from anka_dev.bench.population import mac_name
from anka_dev.bench.usage import Meter
from anka_kube.client import KubeClient
from anka_kube.config import load_endpoint
from anka_kube.lease import LEASES
from anka_kube.writer import Writer
from localkube.programs.versions import API_SERVER

_SIZES, _INSTANCES, _TURNS = (250, 1000), 400, 3
_HINT = "bench.veertu.com/hint"
_WAYS = {"unwatched": None, "filtered": "instances", "named": "leases"}
"""Which kind of `node_watches` is open meanwhile."""


def run(bench: Bench) -> None:
    """The figures of `watches.…`: CPU of the apiserver for each start, medians of turns in alternating order."""
    directory = bench.directory / "watches"
    directory.mkdir(parents=True, exist_ok=True)
    for macs in _SIZES if not bench.quick else (4,):
        asyncio.run(_make_leases(bench, macs))
        found: dict[str, list[float]] = {way: [] for way in _WAYS}
        try:
            for turn in range(bench.size(_TURNS, 1)):
                for way in list(_WAYS)[:: 1 if turn % 2 == 0 else -1]:
                    bench.say(f"watches: {macs} Macs, {way}")
                    found[way].append(asyncio.run(_turn(bench, macs, way)))
        finally:
            asyncio.run(_purge(bench))
        for way, values in found.items():
            bench.less(f"watches.{way}_{macs}_apiserver_cpu_ms", statistics.median(values), "ms")


async def _turn(bench: Bench, macs: int, way: str) -> float:
    """CPU of the apiserver for each start, in ms."""
    instances = bench.size(_INSTANCES, 8)
    cluster, directory = bench.cluster, bench.directory / "watches"
    kubeconfig = await asyncio.to_thread(world.admin_kubeconfig, cluster, directory)
    endpoint = world.bearer(load_endpoint(cluster.kubeconfig), cluster.ca_file, world.token_of(kubeconfig))
    with ExitStack() as stack:
        watches = None
        if (kind := _WAYS[way]) is not None:
            watches = NodeWatches(kubeconfig, macs, directory / f"{way}.log", kind=kind)
            await asyncio.to_thread(stack.enter_context, watches)
        async with KubeClient(endpoint, user_agent="anka-bench") as client:
            with Meter(lambda: cluster.pids).measure() as usage:
                await world.each(range(instances), lambda one: _start(client, one, mac_name(one % macs), way))
            if watches is not None:
                watches.check()
            await world.purge_instances(client)
    return usage.cpu[API_SERVER] / instances * 1e3


async def _start(client: KubeClient, number: int, mac: str, way: str) -> None:
    writer = Writer(client, INSTANCES)
    manifest = world.manifest(f"watched-{number:05}")
    manifest["metadata"]["finalizers"] = [FINALIZER]
    made = await client.create(INSTANCES, manifest, CI_NAMESPACE)
    bound = await writer.patch_status(made, world.status_when_bound(mac), guarded=True)
    if way == "named":
        # The operator tells the Mac, and its agent reads what it was told of.
        hint = {"metadata": {"annotations": {_HINT: bound.metadata.name}}}
        await client.patch(LEASES, mac, hint, NODE_NAMESPACE)
        bound = await client.get(INSTANCES, bound.metadata.name or "", CI_NAMESPACE)
    await writer.patch_status(bound, world.status_when_started(bound, "127.0.0.1", number), guarded=True)


async def _make_leases(bench: Bench, macs: int) -> None:
    async with world.admin(bench.cluster) as client:
        manifests = ({"metadata": {"name": mac_name(number)}, "spec": {}} for number in range(macs))
        await world.each(manifests, lambda one: client.create(LEASES, one, NODE_NAMESPACE))


async def _purge(bench: Bench) -> None:
    async with world.admin(bench.cluster) as client:
        await world.purge(client)
