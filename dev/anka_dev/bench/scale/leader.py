"""The leader dies: how long until the next one binds an instance."""

from __future__ import annotations

import time
from typing import Any

from anka_crds.api.defaults import CI_NAMESPACE, SYSTEM_NAMESPACE
from anka_crds.resources import INSTANCES
from anka_dev.bench.cluster_objects import TEMPLATE
from anka_dev.bench.scale.objects import SPARE_GROUP, instance
from anka_dev.bench.scale.site import ScaleSite
from anka_dev.bench.watcher import Watcher
from anka_dev.cloud import Service
from anka_kube.client import KubeClient
from anka_kube.lease import LEASES
from localkube.errors import DevError

_LEASE = "anka-operator"
_PATIENCE_SECONDS = 120.0
_GOAL_SECONDS = 10.0


async def measure_leader(site: ScaleSite) -> None:
    """Kill the leader, create an instance for which there is room, and wait until it is bound. Seconds since the
    kill; both operators run again afterwards. Raises DevError."""
    async with site.client() as client:
        leader, duration = await _find_leader(site, client)
        site.say(f"{leader.name} is killed: its Lease lasts {duration:g} s")
        watcher = Watcher({"bound": _is_bound})
        async with watcher.following(client, INSTANCES, CI_NAMESPACE):
            killed = time.perf_counter()
            leader.kill()
            made = await client.create(INSTANCES, instance(template=TEMPLATE, group=SPARE_GROUP), CI_NAMESPACE)
            while made.metadata.name not in watcher.times["bound"]:
                await watcher.until("bound", len(watcher.times["bound"]) + 1, _PATIENCE_SECONDS, lambda: None)
            bound = watcher.times["bound"][made.metadata.name]
    site.put("leader_lease_s", duration, "s", better=None)
    site.put("leader_killed_to_first_bind_s", bound - killed, "s", goal=_GOAL_SECONDS)
    leader.restart().wait_ready()


async def _find_leader(site: ScaleSite, client: KubeClient) -> tuple[Service, float]:
    lease = await client.get(LEASES, _LEASE, SYSTEM_NAMESPACE)
    for service in site.cloud.operators:
        if service.name == lease.holder:
            return service, float(lease.duration_seconds or 0)
    raise DevError(f"the leader is {lease.holder}, which is none of ours")


def _is_bound(raw: dict[str, Any]) -> bool:
    return raw["spec"].get("group") == SPARE_GROUP and raw.get("status", {}).get("nodeName") is not None
