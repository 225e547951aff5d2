"""The writes of a burst with nobody there: no operator, shim or agent, and no watch. What is below can't be had."""

from __future__ import annotations

import asyncio

from anka_crds.api import AnkaInstance
from anka_crds.api.meta import FINALIZER
from anka_crds.kube.client import KubeClient
from anka_crds.kube.config import load_endpoint
from anka_crds.kube.kinds import INSTANCES
from anka_dev.bench import world
from anka_dev.bench.bench import Bench
from anka_dev.bench.usage import Meter, Usage
from anka_dev.bench.world import NAMESPACE


async def writes_alone(bench: Bench, instances: int) -> Usage:
    """Create, bind and Started of so many instances, as the three programs write them."""
    cluster = bench.cluster
    token = await asyncio.to_thread(world.admin_token, cluster, bench.directory)
    endpoint = world.bearer(load_endpoint(cluster.kubeconfig), cluster.ca_file, token)

    async with KubeClient(endpoint, user_agent="anka-bench") as client:

        async def one(number: int) -> None:
            manifest = world.manifest(f"alone-{number:05}")
            manifest["metadata"]["finalizers"] = [FINALIZER]
            made = await client.create(INSTANCES, manifest, NAMESPACE)
            bound = await _bind(client, made, f"mac-{number:04}")
            status = world.started_status(bound, "127.0.0.1", number)
            name, version = bound.metadata.name or "", bound.metadata.resource_version
            await client.patch(
                INSTANCES, name, {"status": status}, NAMESPACE, subresource="status", resource_version=version
            )

        with Meter(lambda: cluster.pids).measure() as usage:
            await world.each(range(instances), one)
    return usage


async def _bind(client: KubeClient, made: AnkaInstance, node: str) -> AnkaInstance:
    metadata = {"name": made.metadata.name, "namespace": NAMESPACE, "resourceVersion": made.metadata.resource_version}
    body = {"metadata": metadata, "status": world.bound_status(node)}
    return await client.replace(INSTANCES, body, subresource="status")
