"""Ends instances that ask for a MAC address which another instance has: two requests may come at the same moment, to
two replicas of the API shim, or by kubectl."""

from anka_crds.rules.mac_addresses import format_address
from anka_kube.store import EventType
from anka_operator.cluster.access import AnkaCluster
from anka_operator.control_loop import ControlLoop, run_all
from anka_operator.instances.desired import address_taken_status
from anka_runtime.clock import Clock
from anka_scheduler.shape import is_pending


class AddressConflicts(ControlLoop):
    """The scheduler binds none of them, whatever becomes of this."""

    def __init__(self, cluster: AnkaCluster, clock: Clock) -> None:
        super().__init__("mac conflicts", clock, window=0.05, tick=30.0)
        self._cluster = cluster
        self.follow(cluster.stores.instances, self._on_change)
        self.follow(cluster.stores.pools, self._on_change)

    async def run_once(self) -> float | None:
        addresses = self._cluster.addresses
        if addresses.is_managed:
            await run_all(self._end(uid) for uid in addresses.list_refused())
        return None

    async def _end(self, uid: str) -> None:
        stores, addresses = self._cluster.stores, self._cluster.addresses
        instance, wanted = stores.instances.by_uid(uid), addresses.wish(uid)
        if instance is None or wanted is None or not is_pending(instance) or not addresses.is_refused(uid):
            return
        holder = stores.instances.by_uid(addresses.holder(wanted) or "")
        if holder is None:
            return
        name = f"{holder.metadata.namespace}/{holder.metadata.name}"
        status = address_taken_status(instance, format_address(wanted), name, now=self.clock.now())
        await self._cluster.write.instances.patch_status(instance, status, guarded=True)

    def _on_change(self, _: EventType, __: object, ___: object) -> None:
        """Any instance may get what another one waits for."""
        if self._cluster.addresses.has_wishes:
            self.wake()
