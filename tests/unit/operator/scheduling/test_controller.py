"""Binds: what is written, and what becomes of them when the API says no, says nothing, or lies in pieces."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from anka_crds.api import Phase
from anka_crds.rules.condition_list import find
from anka_operator.registry_view.view import RegistryView
from anka_operator.scheduling import controller as module
from anka_operator.scheduling.controller import SchedulingController
from support.fake_registry import FakeRegistry
from support.objects import FINALIZER, TEMPLATE, instance, mac_pool, node, template
from support.operator_rig import Rig
from support.scripted_api import Fault


@pytest.fixture
async def scheduling(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[SchedulingController]:
    monkeypatch.setattr(module, "LOOK_UP_SECONDS", 0.01)
    async with SchedulingController(
        rig.cluster, rig.clock, rig.view, registry_url="http://registry:8089", window=0.0
    ) as controller:
        yield controller


async def bound(rig: Rig, name: str = "one") -> None:
    await rig.until(lambda: (found := rig.cluster.stores.instances.get(name, "default")) is not None
                    and found.status.node_name is not None)  # fmt: skip


async def finish_binds(scheduling: SchedulingController) -> None:
    """Return once no bind is under way: the end of each wakes the controller."""
    while scheduling._binds:
        await asyncio.wait(scheduling._binds, timeout=60)


async def test_one_write(rig: Rig, scheduling: SchedulingController) -> None:
    await rig.put(template(), node(holds=("v2",)), instance())
    await bound(rig)
    await finish_binds(scheduling)
    assert [(seen.verb, seen.path.split("/")[-1]) for seen in rig.writes()] == [("update", "status")]
    body = rig.writes()[0].body
    assert body["metadata"]["resourceVersion"]
    assert body["status"]["nodeName"] == "mac-1"
    assert body["status"]["registry"] == "http://registry:8089"
    assert rig.instance().status.phase is Phase.SCHEDULING


async def test_at_rest_when_all_that_fits_is_bound(rig: Rig) -> None:
    await rig.put(template(), node(slots=3, holds=("v2",)), *(instance(f"i-{number}") for number in range(5)))
    controller = SchedulingController(rig.cluster, rig.clock, rig.view, window=0.0, max_in_flight=1)
    async with controller:
        await controller.wait_for_rest(60)
        assert sum(one.status.node_name is not None for one in rig.cluster.stores.instances) == 3


async def test_rest_is_not_waited_for_any_longer(rig: Rig) -> None:
    controller = SchedulingController(rig.cluster, rig.clock, rig.view, window=3600.0)
    async with asyncio.timeout(60), controller:
        await controller.wait_for_rest(0.0)
    assert not rig.writes()


async def test_the_finalizer_comes_before_the_bind(rig: Rig, scheduling: SchedulingController) -> None:
    await rig.put(template(), node(), instance(meta={"finalizers": ["other"]}))
    await bound(rig)
    first, second = rig.writes()
    assert first.body["metadata"]["finalizers"] == ["other", FINALIZER]
    assert first.body["metadata"]["resourceVersion"] != second.body["metadata"]["resourceVersion"]
    assert second.path.endswith("/status")


async def test_a_conflict_is_decided_again_from_the_fresh_object(rig: Rig, scheduling: SchedulingController) -> None:
    rig.api.fail("update", Fault(409, reason="Conflict"))
    await rig.put(template(), node(), instance())
    await bound(rig)
    await finish_binds(scheduling)
    assert rig.api.count("update") == 2
    assert scheduling.state.ledger.count_instances("mac-1") == 1


@pytest.mark.parametrize("fault", [Fault(500), Fault(403, reason="Forbidden"), Fault(422, reason="Invalid")])
async def test_trouble_of_the_api_is_outlived(rig: Rig, scheduling: SchedulingController, fault: Fault) -> None:
    rig.api.fail("update", fault, times=3)
    await rig.put(template(), node(), instance())
    await bound(rig)
    await finish_binds(scheduling)
    assert scheduling.state.ledger.count_instances("mac-1") == 1
    assert rig.api.count("update") == 4


async def test_a_bind_whose_answer_was_lost_is_not_done_twice(rig: Rig, scheduling: SchedulingController) -> None:
    """The API did it, and the connection broke: the room stays taken, and nobody else gets it."""
    rig.api.fail("update", Fault(0, drop=True))
    await rig.put(template(), node(slots=1), instance(), instance("two", meta={"age": -5}))
    await bound(rig)
    await finish_binds(scheduling)
    # The HTTP client repeats a PUT whose connection broke; the version in it keeps that from being a second bind.
    assert rig.instance().status.node_name == "mac-1"
    assert rig.instance("two").status.node_name is None
    assert scheduling.state.ledger.count_instances("mac-1") == 1


async def test_the_room_stays_taken_while_the_outcome_is_unknown(rig: Rig, scheduling: SchedulingController) -> None:
    rig.api.fail("update", Fault(500))
    rig.api.fail("get", Fault(403), times=5)
    await rig.put(template(), node(slots=1), instance(), instance("two", meta={"age": -5}))
    await rig.api.until(lambda: rig.api.count("get") >= 3)
    assert scheduling.state.ledger.count_instances("mac-1") == 1
    assert rig.api.count("update") == 1
    await bound(rig)
    assert rig.instance("two").status.node_name is None


async def test_a_bind_that_never_landed_expires(
    rig: Rig, scheduling: SchedulingController, caplog: pytest.LogCaptureFixture
) -> None:
    """Nobody can say what became of it, but the watch works, and a minute has passed: somebody else gets the place."""
    rig.api.fail("update", Fault(500))
    rig.api.fail("get", Fault(403), times=1_000_000)
    await rig.put(template(), node(slots=1), instance())
    await rig.api.until(lambda: rig.api.count("get") >= 2)
    rig.clock.advance(module.EXPIRE_SECONDS - 1)
    seen = rig.api.count("get")
    await rig.api.until(lambda: rig.api.count("get") >= seen + 3)
    assert (scheduling.state.ledger.count_instances("mac-1"), rig.api.count("update")) == (1, 1)
    rig.clock.advance(1)
    await bound(rig)
    assert rig.api.count("update") == 2
    assert "a bind is given up" in caplog.text


async def test_nothing_expires_without_a_watch(
    rig: Rig, scheduling: SchedulingController, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(rig.cluster), "kinds_not_connected", ["ankainstances"])
    rig.api.fail("update", Fault(500))
    rig.api.fail("get", Fault(403), times=9)
    await rig.put(template(), node(slots=1), instance())
    await rig.api.until(lambda: rig.api.count("get") >= 2)
    rig.clock.advance(10 * module.EXPIRE_SECONDS)
    await rig.api.until(lambda: rig.api.count("get") >= 9)
    assert rig.api.count("update") == 1
    await bound(rig)


async def test_a_device_is_bound_with_its_location(rig: Rig, scheduling: SchedulingController) -> None:
    phones = {"usbDevices": [{"locationId": "77", "group": "phone"}]}
    await rig.put(template(), node(slots=2, status=phones), instance(usbDevice="phone"))
    await bound(rig)
    await finish_binds(scheduling)
    assert rig.instance().status.usb_device == "77"
    await rig.put(instance("two", usbDevice="phone"))
    await scheduling.run_once()
    assert [why.message for why in scheduling.unscheduled.values()] == ["0/1 node fit: 1 has usb phone in use"]


async def test_one_that_vanished_gives_back_its_room(rig: Rig, scheduling: SchedulingController) -> None:
    rig.api.fail("update", Fault(404, reason="NotFound"))
    rig.api.fail("get", Fault(404, reason="NotFound"))
    await rig.put(template(), node(slots=1), instance())
    await rig.api.until(lambda: rig.api.count("get") == 1)
    await finish_binds(scheduling)
    assert scheduling.state.ledger.count_instances("mac-1") == 0
    assert len(scheduling.state.queue) == 0


async def test_no_more_than_allowed_in_flight_and_all_get_their_turn(rig: Rig) -> None:
    async with SchedulingController(rig.cluster, rig.clock, rig.view, window=0.0, max_in_flight=2) as scheduling:
        await rig.put(template(), node(slots=10))
        for number in range(7):
            await rig.put(instance(f"i{number}"))
            assert len(scheduling.state.assumed) <= 2
        await rig.until(lambda: all(one.status.node_name for one in rig.cluster.stores.instances))
        assert rig.api.count("update") == 7


async def test_answers_of_a_round_that_reached_its_limit_stay(rig: Rig) -> None:
    scheduling = SchedulingController(rig.cluster, rig.clock, rig.view, max_in_flight=1)
    await rig.put(template(), node(slots=9), instance("bad", template="nonesuch", meta={"age": -9}))
    await scheduling.run_once()
    assert [shape.template for shape in scheduling.unscheduled] == ["nonesuch"]
    await rig.put(instance("good"))
    await scheduling.run_once()
    assert [shape.template for shape in scheduling.unscheduled] == ["nonesuch"]
    await rig.put(template("11111111-1111-1111-1111-111111111111", "nonesuch"))
    await bound(rig, "good")
    await finish_binds(scheduling)
    await scheduling.run_once()
    assert scheduling.unscheduled == {}
    await bound(rig, "bad")


async def test_binds_under_way_are_finished_at_the_end(rig: Rig) -> None:
    async with SchedulingController(rig.cluster, rig.clock, rig.view, window=0.0) as scheduling:
        await rig.put(template(), node(slots=9), instance())
        await scheduling.run_once()
        assert scheduling.state.assumed or rig.writes()
    assert rig.instance().status.node_name == "mac-1"


@asynccontextmanager
async def schedule(rig: Rig, registry: FakeRegistry) -> AsyncIterator[None]:
    view = RegistryView(rig.cluster.stores.templates, registry)
    async with SchedulingController(rig.cluster, rig.clock, view, window=0.0):
        yield


async def test_the_latest_is_what_the_registry_has_after_the_request(rig: Rig) -> None:
    """The object says v2; v3 was pushed just now, and v2 is gone."""
    registry = FakeRegistry()
    registry.held = {TEMPLATE: ("macos-15", ["v1", "v3"])}
    async with schedule(rig, registry):
        await rig.put(template(), node(), instance(), instance("two", tag="v2"), instance("three", tag="v1"))
        await bound(rig)
        await bound(rig, "three")
    assert [rig.instance(name).status.template.tag for name in ("one", "three")] == ["v3", "v1"]  # type: ignore[union-attr]
    assert rig.instance("two").status.node_name is None
    assert len(registry.reads) <= 3


async def test_a_registry_that_does_not_answer_delays_nothing_and_is_told(rig: Rig) -> None:
    registry = FakeRegistry()
    registry.down = True
    async with schedule(rig, registry):
        await rig.put(template(), node(), instance())
        await bound(rig)
    condition = find(rig.instance().status.conditions, "Scheduled")
    assert condition is not None
    assert condition.message == "Runs on mac-1; the registry did not answer: macos-15:v2 as last known"


async def test_an_instance_that_goes_while_the_registry_is_read(rig: Rig) -> None:
    registry = FakeRegistry()
    registry.gate = asyncio.Event()
    view = RegistryView(rig.cluster.stores.templates, registry)
    async with SchedulingController(rig.cluster, rig.clock, view, window=0.0) as scheduling:
        await rig.put(template(), node(), instance())
        assert (len(scheduling.state.queue), len(scheduling.state.unconfirmed)) == (0, 1)
        await rig.remove(instance())
        assert (scheduling.state.unconfirmed, scheduling.state.waiting_since) == ({}, {})
    registry.gate.set()
    assert rig.writes() == []


POOL_OF_ONE = mac_pool("pool", ("00:01", "00:01"), rest=100)


async def test_an_address_is_written_with_the_bind(rig: Rig, scheduling: SchedulingController) -> None:
    await rig.put(mac_pool(), template(), node(holds=("v2",)), instance(), instance("two"))
    await bound(rig)
    await bound(rig, "two")
    await finish_binds(scheduling)
    addresses = {rig.instance(name).status.mac_address for name in ("one", "two")}
    assert len(addresses) == 2
    assert addresses <= {"02:00:00:00:00:01", "02:00:00:00:00:02", "02:00:00:00:00:03"}
    assert len(rig.writes()) == 2


async def test_without_pools_no_address_is_written(rig: Rig, scheduling: SchedulingController) -> None:
    await rig.put(template(), node(), instance(network={"macAddress": "02:00:00:00:00:07"}))
    await bound(rig)
    assert rig.instance().status.mac_address is None


async def test_an_address_that_is_asked_for_is_the_one_that_is_written(
    rig: Rig, scheduling: SchedulingController
) -> None:
    await rig.put(mac_pool(), template(), node(), instance(network={"macAddress": "0E:00:00:00:00:07"}))
    await bound(rig)
    assert rig.instance().status.mac_address == "0E:00:00:00:00:07"


async def test_who_finds_no_address_waits_until_one_has_rested(rig: Rig) -> None:
    scheduling = SchedulingController(rig.cluster, rig.clock, rig.view)
    await rig.put(POOL_OF_ONE, template(), node(slots=9), instance(meta={"age": 9}))
    await scheduling.run_once()
    await bound(rig)
    await finish_binds(scheduling)
    await rig.put(instance("two"), instance("own", network={"macAddress": "02:00:00:00:00:07"}))
    assert await scheduling.run_once() is None
    await bound(rig, "own")
    await finish_binds(scheduling)
    assert [
        (why.reason, len(scheduling.state.queue.waiting(shape))) for shape, why in scheduling.unscheduled.items()
    ] == [("NoMacAddress", 1)]
    await rig.remove(instance())
    assert await scheduling.run_once() == 100
    rig.clock.advance(99)
    assert await scheduling.run_once() == 1
    rig.clock.advance(1)
    await scheduling.run_once()
    await bound(rig, "two")
    await finish_binds(scheduling)
    assert rig.instance("two").status.mac_address == "02:00:00:00:00:01"


async def test_a_mac_that_is_full_is_the_reason_before_an_address(rig: Rig) -> None:
    scheduling = SchedulingController(rig.cluster, rig.clock, rig.view)
    await rig.put(POOL_OF_ONE, template(), node(slots=1), instance(meta={"age": 9}))
    await scheduling.run_once()
    await bound(rig)
    await finish_binds(scheduling)
    await rig.put(instance("two"))
    await scheduling.run_once()
    assert [why.message for why in scheduling.unscheduled.values()] == ["0/1 node fit: 1 full"]


async def test_an_address_of_a_bind_that_failed_is_free_again(rig: Rig, scheduling: SchedulingController) -> None:
    """Without rest: the only one there is, and nobody has had it."""
    rig.api.fail("update", Fault(409, reason="Conflict"), times=2)
    await rig.put(POOL_OF_ONE, template(), node(), instance())
    await bound(rig)
    assert rig.instance().status.mac_address == "02:00:00:00:00:01"


async def test_while_the_outcome_is_unknown_nobody_gets_the_address(rig: Rig, scheduling: SchedulingController) -> None:
    rig.api.fail("update", Fault(500))
    rig.api.fail("get", Fault(403), times=5)
    await rig.put(POOL_OF_ONE, template(), node(slots=2), instance(), instance("two", meta={"age": -5}))
    await rig.api.until(lambda: rig.api.count("get") >= 3)
    assert rig.api.count("update") == 1
    await bound(rig)
    await finish_binds(scheduling)
    assert rig.instance("two").status.node_name is None


async def test_a_new_leader_knows_what_the_last_one_gave(rig: Rig) -> None:
    async with SchedulingController(rig.cluster, rig.clock, rig.view, window=0.0):
        await rig.put(POOL_OF_ONE, template(), node(slots=9), instance(meta={"age": 9}))
        await bound(rig)
    await rig.put(instance("two"))
    second = SchedulingController(rig.cluster, rig.clock, rig.view)
    await second.run_once()
    assert [why.reason for why in second.unscheduled.values()] == ["NoMacAddress"]
    await rig.remove(instance())
    third = SchedulingController(rig.cluster, rig.clock, rig.view)
    assert await third.run_once() == 100
