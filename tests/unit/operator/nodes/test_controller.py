"""Nodes live and die by their heartbeats."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta

import pytest
from prometheus_client import REGISTRY

from anka_crds.api import AnkaNode, NodeState
from anka_crds.rules.condition_list import find
from anka_kube.errors import ApiError
from anka_kube.lease import CHALLENGER, Lease
from anka_kube.store import Store
from anka_operator.nodes.controller import NodeController
from anka_operator.nodes.desired import STUCK_SECONDS
from support.objects import START, TEMPLATE, group, instance, node
from support.operator_rig import NODES, Rig
from support.scripted_api import Fault


@pytest.fixture
def life(rig: Rig) -> NodeController:
    return NodeController(rig.cluster, rig.clock, rig.recorder, node_namespace=NODES, duration_seconds=40)


async def test_from_joining_to_silence_and_back(rig: Rig, life: NodeController) -> None:
    await rig.put(node(state=None))
    assert await life.run_once() == 40
    assert rig.node().status.state is None
    await rig.beat("mac-1")
    assert await life.run_once() == 40
    assert rig.node().status.state is NodeState.ACTIVE
    rig.clock.advance(39)
    assert await life.run_once() == 1
    assert rig.node().status.state is NodeState.ACTIVE
    rig.clock.advance(1)
    await life.run_once()
    assert rig.node().status.state is NodeState.OFFLINE
    await rig.beat("mac-1")
    await life.run_once()
    assert rig.node().status.state is NodeState.ACTIVE
    assert len(rig.writes()) == 3


async def test_heartbeats_cost_no_write(rig: Rig, life: NodeController) -> None:
    await rig.put(node(state=None))
    for _ in range(10):
        await rig.beat("mac-1")
        await life.run_once()
        rig.clock.advance(10)
    assert len(rig.writes()) == 1


async def test_a_node_that_never_beat(rig: Rig, life: NodeController) -> None:
    await rig.put(node(state=None))
    rig.clock.advance(40)
    await life.run_once()
    assert rig.node().status.state is NodeState.OFFLINE


async def test_a_restart_of_ours_gives_everybody_time(rig: Rig) -> None:
    await rig.put(node("was-active"), node("was-offline", state="Offline"))
    await rig.beat("was-active")
    await rig.beat("was-offline")
    rig.clock.advance(1000)
    life = NodeController(rig.cluster, rig.clock, rig.recorder, node_namespace=NODES)
    await life.run_once()
    states = {one.metadata.name: one.status.state for one in rig.cluster.stores.nodes}
    assert states == {"was-active": NodeState.ACTIVE, "was-offline": NodeState.OFFLINE}


async def test_a_dead_watch_kills_nobody(rig: Rig, life: NodeController) -> None:
    """Our stream of Leases is silent, but the node beats: the Lease itself is read before a node is given up."""
    await rig.put(node(state=None))
    await rig.beat("mac-1")
    await life.run_once()
    rig.clock.advance(40)
    lease = rig.api.objects["leases"][NODES, "mac-1"]
    lease["spec"]["renewTime"] = "2026-01-01T00:00:39.000000Z"
    await life.run_once()
    assert rig.node().status.state is NodeState.ACTIVE
    rig.clock.advance(40)
    await life.run_once()
    assert rig.node().status.state is NodeState.OFFLINE


async def test_ten_minutes_without_the_api_give_up_no_node(rig: Rig, life: NodeController) -> None:
    """Silence of the API is not silence of a node: nothing is judged until the Lease itself was read."""
    await rig.put(node(state=None))
    await rig.beat("mac-1")
    await life.run_once()
    rig.api.fail("get", Fault(503, "away"), times=1000)
    for _ in range(10):
        rig.clock.advance(60)
        with pytest.raises(ApiError):
            await life.run_once()
    rig.api.objects["leases"][NODES, "mac-1"]["spec"]["renewTime"] = "2026-01-01T00:09:59.000000Z"
    rig.api.heal()
    await life.run_once()
    assert rig.node().status.state is NodeState.ACTIVE
    assert len(rig.writes()) == 1


async def test_a_lease_that_was_deleted_runs_out(rig: Rig, life: NodeController) -> None:
    await rig.put(node(state=None))
    await rig.beat("mac-1")
    await life.run_once()
    rig.api.remove("leases", "mac-1", NODES)
    await rig.cluster.stores.leases.wait_for(lambda store: len(store) == 0, 60)
    await life.run_once()
    assert rig.node().status.state is NodeState.ACTIVE
    rig.clock.advance(40)
    await life.run_once()
    assert rig.node().status.state is NodeState.OFFLINE


async def test_configuration_and_groups(rig: Rig, life: NodeController) -> None:
    await rig.put(node(groups=["ios"]))
    await rig.beat("mac-1")
    await life.run_once()
    assert [one.type for one in rig.node().status.conditions] == ["Ready", "Alive", "UnknownGroups"]
    await rig.put(group("ios"))
    await life.run_once()
    assert [one.type for one in rig.node().status.conditions] == ["Ready", "Alive"]


async def test_unhealthy_and_well_again(rig: Rig, life: NodeController) -> None:
    status = {"nodeName": "mac-1", "phase": "Scheduling", "scheduledAt": START.isoformat()}
    await rig.put(node(slots=1), instance(status=status))
    states = []
    for _ in range(62):
        await rig.beat("mac-1")
        await life.run_once()
        states.append(rig.node().status.state)
        rig.clock.advance(10)
    assert states == [NodeState.ACTIVE] * 60 + [NodeState.UNHEALTHY] * 2
    gauge = REGISTRY.get_sample_value("anka_operator_nodes", {"state": "Unhealthy"})
    assert gauge == 1
    async with life:
        await rig.remove(rig.instance())
        await rig.cluster.stores.nodes.wait_for(lambda _: rig.node().status.state is NodeState.ACTIVE, 60)


async def test_an_update_of_the_agent(rig: Rig, life: NodeController) -> None:
    await rig.put(node(status={"updating": True}))
    await rig.beat("mac-1")
    await life.run_once()
    assert rig.node().status.state is NodeState.UPDATING


async def test_what_befalls_a_node_is_told_as_events(rig: Rig, life: NodeController) -> None:
    await rig.put(node(state=None))
    await rig.beat("mac-1")
    await life.run_once()
    assert rig.events() == [], "that a new node is well is no news"
    for _ in range(2):
        rig.clock.advance(60)
        await life.run_once()
        await rig.beat("mac-1")
        await life.run_once()
    await rig.put(node(drainMode=True))
    await life.run_once()
    assert rig.events() == [
        ("Warning", "NoHeartbeat", "Offline: The agent sends no heartbeat: is the Mac on, the agent running?", 2),
        ("Normal", "Active", "Active: Takes instances", 2),
        ("Normal", "Draining", "Drain Mode: Running instances finish, nothing new starts here", 1),
    ]
    ((namespace, _), *_), (event, *_) = rig.api.objects["events"], rig.api.objects["events"].values()
    assert namespace == "default"
    assert event["involvedObject"] == {
        "apiVersion": "anka.veertu.com/v1alpha1", "kind": "AnkaNode", "name": "mac-1", "uid": "uid-mac-1",
    }  # fmt: skip


async def test_a_new_node_that_is_not_well_is_told(rig: Rig, life: NodeController) -> None:
    await rig.put(node(state=None, status={"ankaVersion": {"licenseStatus": "expired"}}))
    await rig.beat("mac-1")
    await life.run_once()
    assert [(type_, reason) for type_, reason, *_ in rig.events()] == [("Warning", "InvalidLicense")]


async def test_resources_that_are_all_taken_by_what_does_not_run(rig: Rig, life: NodeController) -> None:
    """The template's size, from a Mac that holds it, counts where an instance names none."""
    held = {"uuid": TEMPLATE, "name": "macos", "tag": "v1", "vcpu": 6, "memoryMib": 2048}
    resolved = {"id": TEMPLATE, "name": "macos", "tag": "v1"}
    status = {"nodeName": "mac-1", "phase": "Scheduling", "scheduledAt": START.isoformat(), "template": resolved}
    await rig.put(
        node("mac-2", status={"templates": [held]}),
        node(capacityMode="resource", arch="amd64", status={"cpuCount": 4, "ramGib": 32}),
        instance(status=status),
    )
    await rig.beat("mac-1")
    await life.run_once()
    assert rig.node().status.state is NodeState.ACTIVE
    rig.clock.advance(STUCK_SECONDS)
    await rig.beat("mac-1")
    await life.run_once()
    assert rig.node().status.state is NodeState.UNHEALTHY


def says(text: str) -> Callable[[Store[Lease]], bool | None]:
    """Whether a Lease has this text of a second machine."""
    return lambda store: any(one.metadata.annotations.get(CHALLENGER) == text for one in store) or None


async def test_a_second_machine_is_told_and_forgotten_when_it_is_silent(rig: Rig, life: NodeController) -> None:
    await rig.put(node(state=None))
    await rig.beat("mac-1")
    await life.run_once()
    for at in range(3):
        known = rig.api.objects["leases"][NODES, "mac-1"]
        moment = (START + timedelta(minutes=at)).isoformat()
        text = json.dumps({"hostName": "mac-9", "address": "10.0.0.9", "at": moment})
        rig.api.put("leases", "mac-1", NODES, spec=known["spec"], metadata={"annotations": {CHALLENGER: text}})
        await rig.cluster.stores.leases.wait_for(says(text), 60)
        await life.run_once()
        told = find(rig.node().status.conditions, "IdentityConflict")
        assert told is not None
        assert "mac-9, at 10.0.0.9" in told.message
        assert rig.node().status.state is NodeState.ACTIVE, "the legitimate one is not disturbed"
    assert len(rig.writes()) == 2, "told once"
    events = [event["reason"] for event in rig.api.objects["events"].values()]
    assert events == ["SecondMachine"]
    for _ in range(6):
        rig.clock.advance(30)
        await rig.beat("mac-1")
        await life.run_once()
    assert find(rig.node().status.conditions, "IdentityConflict") is None


async def test_two_nodes_on_one_machine(rig: Rig, life: NodeController) -> None:
    await rig.put(*(node(name, state=None, status={"hardwareUuid": "H"}) for name in ("mac-1", "mac-2")))
    for name in ("mac-1", "mac-2"):
        await rig.beat(name)
    await life.run_once()
    life.wake()
    await life.run_once()
    for one in rig.cluster.stores.nodes:
        told = find(one.status.conditions, "IdentityConflict")
        assert told is not None, one.metadata.name
        assert told.reason == "SameMachine"


async def test_an_agent_that_beats_and_never_reports_gets_a_state(rig: Rig, life: NodeController) -> None:
    silent = AnkaNode.from_api({"metadata": {"name": "mac-1", "uid": "u"}, "spec": {}})
    await rig.put(silent)
    for _ in range(12):
        await rig.beat("mac-1")
        await life.run_once()
        assert rig.node().status.state is None
        rig.clock.advance(10)
    await rig.beat("mac-1")
    await life.run_once()
    assert rig.node().status.state is NodeState.UNHEALTHY
    ready = find(rig.node().status.conditions, "Ready")
    assert ready is not None
    assert (ready.status, ready.reason) == ("False", "NotReporting")
    await rig.put(node(state="Unhealthy", status={"updatedAt": START.isoformat()}, meta={"uid": "u"}))
    await life.run_once()
    assert rig.node().status.state is NodeState.ACTIVE


async def test_two_nodes_on_one_machine_are_told_of_each_other_at_once(rig: Rig, life: NodeController) -> None:
    same = {"hardwareUuid": "AB", "agentVersion": "1"}
    await rig.put(node("a", status=same))
    await rig.beat("a")
    for _ in range(2):  # the second time for its own write
        await life.run_once()

    def twins() -> list[str]:
        nodes = rig.cluster.stores.nodes
        return sorted(one.metadata.name for one in nodes if find(one.status.conditions, "IdentityConflict"))

    assert twins() == []
    await rig.beat("b")
    await rig.put(node("b", status=same))
    await life.run_once()
    assert twins() == ["a", "b"]
    await life.run_once()
    await rig.remove(node("b"))
    await life.run_once()
    assert twins() == []
