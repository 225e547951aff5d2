"""Of two instances that ask for one address, the second ends with a reason."""

from __future__ import annotations

from anka_crds.api import AnkaInstance, Phase
from anka_crds.rules.condition_list import find
from anka_operator.mac_pools.conflicts import AddressConflicts
from support.objects import instance, mac_pool
from support.operator_rig import Rig

ADDRESS = "02:00:00:00:00:02"


def wanting(name: str, age: float = 0) -> AnkaInstance:
    return instance(name, network={"macAddress": ADDRESS}, meta={"age": age})


async def test_the_younger_of_two_fails(rig: Rig) -> None:
    await rig.put(mac_pool())
    async with AddressConflicts(rig.cluster, rig.clock):
        await rig.put(wanting("young"), wanting("old", age=9))
        await rig.until(lambda: rig.instance("young").status.phase is Phase.ERROR)
    status = rig.instance("young").status
    ready = find(status.conditions, "Ready")
    assert ready is not None
    assert (ready.status, ready.reason) == ("False", "MacAddressTaken")
    assert ready.message == (f"MAC address {ADDRESS} is used by instance default/old: ask for another one, or for none")
    assert status.message == ready.message
    assert rig.instance("old").status.phase is Phase.SCHEDULING
    assert len(rig.writes()) == 1


async def test_a_vm_that_has_the_address_goes_before_all_who_ask(rig: Rig) -> None:
    await rig.put(mac_pool())
    async with AddressConflicts(rig.cluster, rig.clock):
        await rig.put(wanting("waits", age=9))
        await rig.put(instance("runs", status={"nodeName": "mac-1", "phase": "Started", "macAddress": ADDRESS}))
        await rig.until(lambda: rig.instance("waits").status.phase is Phase.ERROR)
    assert "default/runs" in (rig.instance("waits").status.message or "")


async def test_without_pools_nobody_is_refused(rig: Rig) -> None:
    conflicts = AddressConflicts(rig.cluster, rig.clock)
    await rig.put(wanting("one"), wanting("two"))
    await conflicts.run_once()
    assert rig.writes() == []
    await rig.put(mac_pool())
    await conflicts.run_once()
    assert len(rig.writes()) == 1
