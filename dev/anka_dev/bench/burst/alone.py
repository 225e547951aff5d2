"""The writes of a burst alone, without operator, shim, agents and watches: the lower bound of what a burst costs."""

from __future__ import annotations

import asyncio

from anka_crds.api.defaults import CI_NAMESPACE
from anka_crds.api.meta import FINALIZER
from anka_crds.resources import INSTANCES
from anka_dev.bench import cluster_objects as world
from anka_dev.bench.bench import Bench
from anka_dev.bench.population import mac_name
from anka_dev.bench.usage import Meter, ProcessUsage
from anka_kube.client import KubeClient
from anka_kube.config import load_endpoint
from anka_kube.writer import Writer


async def writes_alone(bench: Bench, instances: int) -> ProcessUsage:
    """Create instances and write that they are bound and Started, as the three programs do."""
    cluster = bench.cluster
    token = await asyncio.to_thread(world.admin_token, cluster, bench.directory)
    endpoint = world.bearer(load_endpoint(cluster.kubeconfig), cluster.ca_file, token)

    async with KubeClient(endpoint, user_agent="anka-bench") as client:
        writer = Writer(client, INSTANCES)

        async def one(number: int) -> None:
            manifest = world.manifest(f"alone-{number:05}")
            manifest["metadata"]["finalizers"] = [FINALIZER]
            made = await client.create(INSTANCES, manifest, CI_NAMESPACE)
            bound = await writer.patch_status(made, world.status_when_bound(mac_name(number)), guarded=True)
            await writer.patch_status(bound, world.status_when_started(bound, "127.0.0.1", number), guarded=True)

        with Meter(lambda: cluster.pids).measure() as usage:
            await world.each(range(instances), one)
    return usage
