"""Keeps the ledger of MAC addresses current by every change of instances and pools.

Standbys do so, too: a new leader then knows which addresses still rest."""

from collections.abc import Callable

from anka_crds.api import AnkaInstance, MACAddressPool
from anka_crds.rules.mac_addresses import AddressSet
from anka_kube.store import EventType
from anka_operator.cluster.stores import ClusterStores
from anka_runtime.clock import Clock
from anka_scheduler.mac_addresses import AddressLedger


def follow_addresses(stores: ClusterStores, ledger: AddressLedger, clock: Clock) -> Callable[[], None]:
    """Begins with what the stores have. Returns a function that ends this."""

    def on_instance(_: EventType, old: AnkaInstance | None, new: AnkaInstance | None) -> None:
        if old is not None and (new is None or new.metadata.uid != old.metadata.uid):
            ledger.observe(old.metadata.uid, None, clock.monotonic())
        if new is not None:
            ledger.observe(new.metadata.uid, new, clock.monotonic())

    def on_pool(_: EventType, old: MACAddressPool | None, new: MACAddressPool | None) -> None:
        if old is None or new is None or old.spec != new.spec:
            ledger.set_pools(AddressSet(stores.pools), clock.monotonic())

    for instance in stores.instances:
        on_instance("ADDED", None, instance)
    ledger.set_pools(AddressSet(stores.pools), clock.monotonic())
    ends = (stores.instances.subscribe(on_instance), stores.pools.subscribe(on_pool))

    def end() -> None:
        for one in ends:
            one()

    return end
