"""Status of a pool of MAC addresses."""

from __future__ import annotations

import pytest

from anka_crds.api import MACAddressPool
from anka_crds.rules.condition_list import find
from anka_kube import merge_patch
from anka_operator.mac_pools.desired import AddressUsage, compute_status
from support.objects import START, mac_pool, metadata

MANUFACTURERS = {"ranges": [{"first": "00:1B:44:00:00:00", "last": "00:1B:44:00:00:FF"}]}


def after(pool: MACAddressPool, usage: AddressUsage) -> MACAddressPool:
    patch = compute_status(pool, usage, START)
    assert patch is not None
    return MACAddressPool.from_api(merge_patch.apply(pool.to_api(), {"status": patch}))


FOREIGN = MACAddressPool.from_api({"metadata": metadata("p"), "spec": MANUFACTURERS})


@pytest.mark.parametrize(
    ("pool", "usage", "reason", "words"),
    [
        (mac_pool(), AddressUsage(1, 1, 1), "Ready", "Has addresses for instances"),
        (mac_pool(), AddressUsage(0, 2, 1), "Exhausted", "All addresses are in use or rest"),
        (FOREIGN, AddressUsage(256, 0, 0), "Ready", "00:1B:44:00:00:00 may be some network card's"),
    ],
)
def test_numbers_and_verdict(pool: MACAddressPool, usage: AddressUsage, reason: str, words: str) -> None:
    status = after(pool, usage).status
    assert (status.free, status.in_use, status.resting, status.observed_generation) == (*usage, 1)
    ready = find(status.conditions, "Ready")
    assert ready is not None
    assert (ready.status, ready.reason) == ("True", reason)
    assert words in ready.message


def test_ranges_without_any_address_are_a_fault() -> None:
    stalled = find(after(mac_pool("p", ("00:02", "00:01")), AddressUsage(0, 0, 0)).status.conditions, "Stalled")
    assert stalled is not None
    assert (stalled.status, stalled.reason) == ("True", "NoAddresses")


def test_no_second_write() -> None:
    usage = AddressUsage(1, 1, 1)
    assert compute_status(after(mac_pool(), usage), usage, START) is None
    assert compute_status(after(mac_pool(), usage), AddressUsage(2, 1, 0), START) is not None
