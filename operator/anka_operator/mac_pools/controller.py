"""Writes the numbers of every MACAddressPool: at once when it has changed, then once a minute if they have."""

import math

from anka_crds.api import MACAddressPool
from anka_crds.rules.mac_addresses import AddressSet
from anka_operator.cluster.access import AnkaCluster
from anka_operator.control_loop import ObjectLoop
from anka_operator.mac_pools.desired import AddressUsage, compute_status
from anka_runtime.clock import Clock

COUNT_SECONDS = 60.0
"""Shortest time between two counts of an unchanged pool: every start of an instance changes its numbers."""


class MacPoolController(ObjectLoop[MACAddressPool]):
    def __init__(self, cluster: AnkaCluster, clock: Clock) -> None:
        super().__init__("mac pools", cluster.stores.pools, clock, window=0.25, tick=COUNT_SECONDS)
        self._cluster = cluster
        self._counted: dict[str, tuple[int, float]] = {}
        """Of each pool, by uid: the generation that was counted last, and when."""

    async def reconcile(self, obj: MACAddressPool) -> float:
        uid, now = obj.metadata.uid, self.clock.monotonic()
        generation, at = self._counted.get(uid, (0, -math.inf))
        if generation == obj.metadata.generation and now < at + COUNT_SECONDS:
            return at + COUNT_SECONDS - now
        addresses = self._cluster.addresses
        addresses.end_rests(now)
        usage = AddressUsage(*addresses.count(AddressSet([obj])))
        patch = compute_status(obj, usage, self.clock.now())
        if patch is not None:
            await self._cluster.write.pools.patch_status(obj, patch, guarded=True)
        known = {pool.metadata.uid for pool in self._cluster.stores.pools}
        self._counted = {one: counted for one, counted in self._counted.items() if one in known}
        self._counted[uid] = (obj.metadata.generation, now)
        return COUNT_SECONDS
