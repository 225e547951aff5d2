"""The ledger of MAC addresses follows the stores."""

from __future__ import annotations

from anka_crds.api import AnkaInstance
from anka_operator.cluster.addresses import follow_addresses
from anka_operator.cluster.stores import ClusterStores
from anka_scheduler.mac_addresses import AddressLedger
from support.manual_clock import ManualClock
from support.objects import instance, mac_pool

FIRST = 0x0200_0000_0001


def running(uid: str = "uid-one", version: int = 1) -> AnkaInstance:
    status = {"nodeName": "mac-1", "macAddress": "02:00:00:00:00:01"}
    return instance(status=status, meta={"uid": uid, "version": version})


def test_it_begins_with_what_is_there_and_goes_on_until_it_ends() -> None:
    stores, ledger, clock = ClusterStores(), AddressLedger(), ManualClock()
    stores.instances.observe(running())
    stores.pools.observe(mac_pool(rest=60))
    end = follow_addresses(stores, ledger, clock)
    assert (ledger.free, ledger.holder(FIRST)) == (2, "uid-one")
    stores.instances.apply_deleted(running())
    assert (ledger.free, ledger.seconds_to_next(clock.monotonic())) == (2, 60)
    stores.pools.observe(mac_pool("pool", ("00:01", "00:09"), meta={"version": 2}))
    assert ledger.free == 8
    stores.pools.observe_deleted(("", "pool"), "uid-pool", "3")
    assert not ledger.is_managed
    end()
    stores.pools.observe(mac_pool(meta={"version": 4}))
    assert not ledger.is_managed


def test_an_object_of_the_same_name_is_another_instance() -> None:
    stores, ledger, clock = ClusterStores(), AddressLedger(), ManualClock()
    follow_addresses(stores, ledger, clock)
    stores.pools.observe(mac_pool(rest=60))
    stores.instances.observe(running())
    stores.instances.observe(running("uid-new", 2))
    assert (ledger.free, ledger.holder(FIRST)) == (2, "uid-new")
