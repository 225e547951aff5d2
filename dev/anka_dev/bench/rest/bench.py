"""The order of the REST measurements: writes first, while there is little to see; then lists and reads of 1,000."""

from __future__ import annotations

import asyncio

from anka_dev.bench import cluster_objects as world
from anka_dev.bench.bench import Bench
from anka_dev.bench.rest.reads import Reads
from anka_dev.bench.rest.site import Site
from anka_dev.bench.rest.writes import Writes
from anka_dev.cloud import LocalCloud


def run(bench: Bench) -> None:
    """All `rest.` figures: the shim alone beside the control plane. No operator works at the same time."""
    directory = bench.directory / "rest"
    try:
        asyncio.run(_prepare(bench))
        with LocalCloud(bench.cluster, directory) as cloud:
            # Terminated instances are listed for a minute: lists would be longer than the 1,000 of their name.
            cloud.start_shim("--terminated-seconds=0")
            cloud.wait_ready()
            site = Site(bench, cloud, world.admin_token(bench.cluster, directory))
            Writes(site).measure()
            asyncio.run(_purge_instances(bench))
            Reads(site).measure()
    finally:
        asyncio.run(_purge(bench))


async def _prepare(bench: Bench) -> None:
    async with world.admin(bench.cluster) as client:
        await world.make_template(client)


async def _purge_instances(bench: Bench) -> None:
    bench.say("rest: removing what the writes left")
    async with world.admin(bench.cluster) as client:
        await world.purge_instances(client)


async def _purge(bench: Bench) -> None:
    async with world.admin(bench.cluster) as client:
        await world.purge(client)
