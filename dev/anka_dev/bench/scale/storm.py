"""One storm: all watches end at once. How long until everybody is back, and how hard they knock meanwhile."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import orjson

from anka_crds.api.conditions import ConditionType
from anka_crds.api.defaults import NODE_NAMESPACE
from anka_crds.resources import NODES
from anka_crds.rules.condition_list import find
from anka_dev.bench.api_counters import AGENTS_WATCH, INSTANCES_WATCH, ApiCounters, peak_per_second
from anka_dev.bench.scale.site import ScaleSite
from anka_kube.client import KubeClient
from anka_kube.errors import ApiError
from anka_kube.lease import LEASES
from localkube.errors import DevError

_PATIENCE_SECONDS = 480.0
_BACK_SECONDS = 30.0
_PEAK_PER_SECOND = 200.0
_PAUSE_SECONDS = 0.5


class Storm:
    """Begins when it is made. `first`: the counters then. All times are seconds since."""

    def __init__(self, site: ScaleSite, name: str, first: ApiCounters) -> None:
        self._site = site
        self._name = name
        self._began = time.perf_counter()
        self._began_at = datetime.now(UTC)
        self._readings = [first]
        self._instances_back = 0.0
        self._watches_back = 0.0
        self._heartbeats_back = 0.0

    async def until_back(self, are_back: Callable[[ApiCounters, Sequence[str]], bool]) -> None:
        """Until this is true of all kinds, and every Mac has sent a heartbeat. DevError after minutes."""
        async with self._site.metrics as metrics:
            async for now in metrics.readings():
                self._readings.append(now)
                if not self._instances_back and are_back(now, INSTANCES_WATCH):
                    self._instances_back = self._seconds()
                if are_back(now, AGENTS_WATCH):
                    break
                back = ", ".join(f"{kind} {now.open_watches.get(kind, 0):.0f}" for kind in AGENTS_WATCH)
                self._check(f"not all watches are back: {back}")
        self._watches_back = self._seconds()
        async with self._site.client() as client:
            while (silent := await self._count_silent(client)) != 0:
                self._check(f"{silent} Macs have sent no heartbeat")
                # A Lease is renewed every ten seconds: a watch of all of them would cost more than this.
                await asyncio.sleep(_PAUSE_SECONDS)
        self._heartbeats_back = self._seconds()

    async def count_offline(self, since: datetime) -> int:
        """Macs that were declared Offline since then, and those that still are."""
        async with self._site.client() as client:
            nodes = (await client.list(NODES)).items
        conditions = [find(node.status.conditions, ConditionType.ALIVE) for node in nodes]
        # metav1.Time has a resolution of a second.
        moment = since.replace(microsecond=0)
        return sum(one is None or one.status != "True" or one.last_transition_time >= moment for one in conditions)

    def put(self) -> None:
        """Record the figures; the readings go into a file."""
        site, name, last = self._site, self._name, self._readings[-1]
        back = max(self._watches_back, self._heartbeats_back)
        site.put(f"{name}_all_back_s", back, "s", goal=_BACK_SECONDS)
        site.put(f"{name}_instances_back_s", self._instances_back, "s", goal=_BACK_SECONDS)
        site.put(f"{name}_watches_back_s", self._watches_back, "s")
        site.put(f"{name}_heartbeats_back_s", self._heartbeats_back, "s")
        peak = peak_per_second(self._readings)
        site.put(f"{name}_peak_requests_per_s", peak, "1/s", goal=_PEAK_PER_SECOND)
        site.put(f"{name}_requests", last.dispatched - self._readings[0].dispatched)
        site.put(f"{name}_rejected", last.rejected - self._readings[0].rejected)
        rows = [
            {
                "seconds": now.at - self._began,
                "requests": now.dispatched,
                "rejected": now.rejected,
                "watches": sum(now.open_watches.values()),
            }
            for now in self._readings
        ]
        (site.directory / f"{name}.json").write_bytes(orjson.dumps(rows, option=orjson.OPT_INDENT_2))

    def _seconds(self) -> float:
        return time.perf_counter() - self._began

    def _check(self, trouble: str) -> None:
        self._site.check()
        if self._seconds() > _PATIENCE_SECONDS:
            raise DevError(f"{trouble} after {_PATIENCE_SECONDS:g} s")

    async def _count_silent(self, client: KubeClient) -> int | None:
        """Macs without a heartbeat since the storm began; None if the API does not tell."""
        try:
            leases = (await client.list(LEASES, NODE_NAMESPACE)).items
        except ApiError:
            return None
        return sum(lease.renew_time is None or lease.renew_time < self._began_at for lease in leases)
