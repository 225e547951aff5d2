"""Operators that give MAC addresses, real processes with the rights of the chart: none is given twice, whoever dies."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress

import pytest
import yaml

from anka_crds.api import AnkaInstance, NodeState, Phase
from anka_crds.resources import INSTANCES, MAC_POOLS, NODES
from anka_crds.rules.condition_list import find
from anka_dev.cloud import LocalCloud
from anka_dev.cloud.service import Service
from anka_dev.repository import ROOT
from anka_kube.errors import NotFound
from support.mac_pools import FLAG, bind_roles, pool_spec
from support.operators import NAMESPACE, OPERATOR_FLAGS, SECONDS, Fleet, find_leader

pytestmark = pytest.mark.integration

EXAMPLE = ROOT / "examples" / "mac-addresses" / "pool.yaml"


@pytest.fixture(scope="module")
def rights(operator_cloud: LocalCloud) -> None:
    bind_roles(operator_cloud.cluster)


@pytest.fixture
def pair(operator_cloud: LocalCloud, rights: None) -> Iterator[list[Service]]:
    services = [operator_cloud.start_operator(*OPERATOR_FLAGS, FLAG) for _ in range(2)]
    for service in services:
        service.wait_ready()
    yield services
    for service in services:
        service.stop()
        operator_cloud.operators.remove(service)


@pytest.fixture
async def macs(fleet: Fleet, pair: list[Service]) -> AsyncIterator[Fleet]:
    """Ten Macs of eight places each, and no pool afterwards."""
    for number in range(10):
        await fleet.node(f"mac-{number}", slots=8, holds=("v1",))
    for number in range(10):
        await fleet.see(NODES, f"mac-{number}", lambda node: node.status.state is NodeState.ACTIVE)
    yield fleet
    await fleet.clear()
    for pool in (await fleet.client.list(MAC_POOLS)).items:
        with suppress(NotFound):
            await fleet.client.delete(MAC_POOLS, pool.metadata.name)


async def make_pool(fleet: Fleet, last: int, rest: int) -> None:
    """Returns once the leader has counted it: from then on it gives its addresses."""
    await fleet.client.create(MAC_POOLS, {"metadata": {"name": "pool"}, "spec": pool_spec(last, rest)})
    await fleet.see(MAC_POOLS, "pool", lambda pool: pool.status.free == last)


def addresses(fleet: Fleet) -> list[str]:
    return [one.status.mac_address for one in fleet.instances if one.status.mac_address is not None]


def lacks_address(instance: AnkaInstance) -> bool:
    why = find(instance.status.conditions, "Scheduled")
    return why is not None and why.reason == "NoMacAddress"


async def test_the_leader_dies_among_many_starts(macs: Fleet, pair: list[Service]) -> None:
    """As many addresses as instances: none is given twice, and none is lost."""
    await make_pool(macs, 40, 3600)
    leader, _ = await find_leader(macs, pair)
    burst = asyncio.create_task(macs.burst("job", 40))
    await macs.instances.wait_for(lambda _: len(addresses(macs)) >= 10, SECONDS)
    leader.kill()
    await burst
    bound = await macs.all_bound(40)
    assert sorted(one.status.mac_address or "" for one in bound) == [f"02:00:00:00:00:{n:02X}" for n in range(1, 41)]


async def test_the_fourth_of_three_addresses_waits_for_one_that_has_rested(macs: Fleet) -> None:
    rest = 3
    await make_pool(macs, 3, rest)
    await macs.burst("one-of-three", 3)
    first = {one.metadata.name: one.status.mac_address for one in await macs.all_bound(3)}
    assert len(set(first.values())) == 3
    await macs.instance("fourth")
    await macs.see(INSTANCES, "fourth", lacks_address, NAMESPACE)
    await macs.client.delete(INSTANCES, "one-of-three-0", NAMESPACE)
    freed_at = time.monotonic()
    await macs.release("one-of-three-0")
    fourth = await macs.bound("fourth")
    assert time.monotonic() - freed_at >= rest
    assert fourth.status.mac_address == first["one-of-three-0"]


async def test_of_two_that_ask_for_one_address_the_second_fails(macs: Fleet) -> None:
    await make_pool(macs, 3, 3600)
    asked = {"macAddress": "0E:00:00:00:00:07"}
    await macs.instance("first", network=asked)
    await macs.bound("first")
    await macs.instance("second", network=asked)
    second = await macs.see(INSTANCES, "second", lambda one: one.status.phase is Phase.ERROR, NAMESPACE)
    ready = find(second.status.conditions, "Ready")
    assert ready is not None
    assert ready.reason == "MacAddressTaken"
    assert "0E:00:00:00:00:07 is used by instance default/first" in ready.message


async def test_the_example(macs: Fleet) -> None:
    made = yaml.safe_load(EXAMPLE.read_text())
    await macs.client.create(MAC_POOLS, made)
    pool = await macs.see(MAC_POOLS, made["metadata"]["name"], lambda pool: pool.status.free is not None)
    ready = find(pool.status.conditions, "Ready")
    assert ready is not None
    assert (ready.status, ready.message, pool.status.free) == ("True", "Has addresses for instances", 65536)
