"""Node life, cleanup, groups and events, by the operator process against a real apiserver."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from anka_crds.api import NodeState, Phase
from anka_crds.resources import GROUPS, INSTANCES, NODES, TEMPLATES
from anka_dev.cloud import LocalCloud
from anka_kube.lease import LEASES
from anka_kube.resource import Selection
from anka_kube.unstructured import EVENTS
from support.conditions import condition, is_true
from support.operators import LOST_SECONDS, NAMESPACE, TEMPLATE, Fleet, until

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("operator")]


async def test_a_pending_instance_can_be_deleted(fleet: Fleet) -> None:
    await fleet.instance("never")
    await fleet.client.delete(INSTANCES, "never", NAMESPACE)
    await fleet.gone("never")


async def test_another_controllers_instances(fleet: Fleet) -> None:
    """In whatever state: nothing of ours ever writes to them, and who deletes them waits for nobody."""
    await fleet.node("mac-1", slots=9)
    theirs: dict[str, Any] = {"managedBy": "example.com/other", "startDeadlineSeconds": 1, "ttlSecondsAfterFinished": 0}
    lost = {"nodeName": "gone-mac", "phase": "Started", "startedAt": "2026-01-01T00:00:00Z"}
    failed = {"nodeName": "mac-1", "phase": "Error", "finishedAt": "2026-01-01T00:00:00Z", "message": "theirs"}
    states: dict[str, dict[str, str]] = {"waits": {}, "lost": lost, "failed": failed}
    before = {}
    for name, status in states.items():
        made = await fleet.instance(name, maxLifetimeSeconds=1, **theirs)
        assert made.metadata.finalizers == []
        if status:
            made = await fleet.client.patch(INSTANCES, name, {"status": status}, NAMESPACE, subresource="status")
        before[name] = made.metadata.resource_version
    # Two of ours live and die meanwhile: by then every loop has had its turn.
    await fleet.instance("late", startDeadlineSeconds=2, node="no-such-mac", ttlSecondsAfterFinished=0)
    await fleet.instance("ours")
    await fleet.bound("ours")
    await fleet.gone("late")
    for name in states:
        found = await fleet.client.get(INSTANCES, name, NAMESPACE)
        assert found.metadata.resource_version == before[name], found
    events = (await fleet.client.list(EVENTS, NAMESPACE)).items
    # Kubernetes itself posts some that are about no object.
    assert not [one for one in events if one.raw["involvedObject"].get("name") in states]
    for name in states:
        assert await fleet.client.delete(INSTANCES, name, NAMESPACE) is None, "it is gone at once"


async def test_a_node_goes_and_comes_back(fleet: Fleet) -> None:
    await fleet.node("mac-1")
    await fleet.see(NODES, "mac-1", lambda node: node.status.state is NodeState.ACTIVE)
    await fleet.fall_silent("mac-1")
    node = await fleet.see(NODES, "mac-1", lambda node: node.status.state is NodeState.OFFLINE)
    assert not is_true(node.status.conditions, "Ready")
    assert is_true(node.status.conditions, "Stalled")
    fleet.alive.add("mac-1")
    node = await fleet.see(NODES, "mac-1", lambda node: node.status.state is NodeState.ACTIVE)
    assert is_true(node.status.conditions, "Ready")
    assert node.status.observed_generation == node.metadata.generation


async def test_instances_of_a_lost_node(fleet: Fleet) -> None:
    """One fails, one runs again elsewhere, one that was being deleted is let go; none before the time is up."""
    await fleet.node("mac-1", slots=3, holds=("v1",))
    await fleet.instance("fails")
    await fleet.instance("moves", nodeLostPolicy="Reschedule")
    await fleet.instance("leaves")
    for name in ("fails", "moves", "leaves"):
        await fleet.bound(name)
        await fleet.start_vm(name)
    await fleet.client.delete(INSTANCES, "leaves", NAMESPACE)
    await fleet.fall_silent("mac-1")
    offline = await fleet.see(NODES, "mac-1", lambda node: node.status.state is NodeState.OFFLINE)
    failed = await fleet.see(INSTANCES, "fails", lambda one: one.status.phase is Phase.ERROR, NAMESPACE)
    assert failed.status.message.startswith("Node mac-1 is lost: no heartbeat for 0:0")
    assert failed.status.node_name == "mac-1"
    ready = condition(failed, "Ready")
    assert (ready.status, ready.reason) == ("False", "NodeLost")
    silence = failed.status.finished_at - condition(offline, "Ready").last_transition_time
    assert silence.total_seconds() > LOST_SECONDS - 1, "both have whole seconds"
    await fleet.gone("leaves")
    moved = await fleet.see(INSTANCES, "moves", lambda one: one.status.node_name is None, NAMESPACE)
    assert (moved.status.phase, moved.status.vm, moved.status.started_at) == (Phase.SCHEDULING, None, None)
    await fleet.node("mac-2", slots=1, holds=("v1",))
    assert (await fleet.bound("moves")).status.node_name == "mac-2"


async def test_instances_whose_time_is_over(fleet: Fleet) -> None:
    await fleet.instance("late", startDeadlineSeconds=1, node="no-such-mac")
    late = await fleet.see(INSTANCES, "late", lambda one: one.status.phase is Phase.ERROR, NAMESPACE)
    assert condition(late, "Ready").reason == "StartDeadlineExceeded"
    await fleet.client.delete(INSTANCES, "late", NAMESPACE)
    # Nothing of it was ever anywhere: TTL and our finalizer both let it go.
    await fleet.instance("swept", startDeadlineSeconds=1, ttlSecondsAfterFinished=0, node="no-such-mac")
    await fleet.gone("swept")


async def test_instances_of_a_removed_node(fleet: Fleet) -> None:
    await fleet.node("mac-1", slots=2)
    await fleet.instance("stays")
    await fleet.instance("leaves")
    await fleet.bound("stays")
    await fleet.bound("leaves")
    await fleet.fall_silent("mac-1")
    await fleet.client.delete(INSTANCES, "leaves", NAMESPACE)
    await fleet.client.delete(NODES, "mac-1")
    await fleet.gone("leaves")
    failed = await fleet.see(INSTANCES, "stays", lambda one: one.status.phase is Phase.ERROR, NAMESPACE)
    assert failed.status.message == "Node mac-1 was removed while the instance was on it"


async def test_a_failed_instance_is_told_in_an_event_once(fleet: Fleet, operator_cloud: LocalCloud) -> None:
    await fleet.node("mac-1")

    async def fails(name: str, message: str) -> None:
        status = {"status": {"phase": "Error", "message": message}}
        await fleet.client.patch(INSTANCES, name, status, NAMESPACE, subresource="status")

    for name in ("sad", "sadder"):
        await fleet.instance(name)
        await fleet.bound(name)
    await fails("sad", "The startup script failed")
    await told_of(fleet, "sad")
    await fails("sad", "The startup script failed!")
    # The operator hears of this one after that, and tells it after that.
    await fails("sadder", "The startup script failed, too")
    await told_of(fleet, "sadder")
    events = await told_of(fleet, "sad")
    assert events == [("Warning", "The startup script failed")]
    described = await asyncio.to_thread(operator_cloud.kubectl.run, "describe", "ankainstance", "sad")
    assert "The startup script failed" in described


async def told_of(fleet: Fleet, name: str) -> list[tuple[str, str]]:
    """Types and messages of the Events about this instance, once there is one."""

    async def events() -> list[tuple[str, str]]:
        items = [one.raw for one in (await fleet.client.list(EVENTS, NAMESPACE)).items]
        return [(one["type"], one["message"]) for one in items if one["involvedObject"].get("name") == name]

    found: list[tuple[str, str]] = await until(events, f"an Event of {name}")
    return found


async def describes(operator_cloud: LocalCloud, kind: str, name: str, words: str) -> str:
    """What `kubectl describe` says, once these words are in it."""

    async def described() -> str:
        told = await asyncio.to_thread(operator_cloud.kubectl.run, "describe", kind, name)
        return told if words in told else ""

    told: str = await until(described, f"{words} of {kind} {name}")
    return told


async def test_who_waits_is_told_in_an_event(fleet: Fleet, operator_cloud: LocalCloud) -> None:
    await fleet.node("mac-1", slots=0)
    await fleet.node("mac-2", drainMode=True)
    await fleet.see(NODES, "mac-1", lambda node: node.status.state is NodeState.ACTIVE)
    await fleet.see(NODES, "mac-2", lambda node: node.status.state is NodeState.DRAIN)
    await fleet.instance("waits")
    told = await describes(operator_cloud, "ankainstance", "waits", "FailedScheduling")
    event = told.splitlines()[-1].split()
    assert (event[:2], event[3]) == (["Warning", "FailedScheduling"], "anka-operator")
    assert " ".join(event[4:]) == "0/2 nodes fit: 1 draining, 1 full"
    says = "Drain Mode: Running instances finish, nothing new starts here"
    await describes(operator_cloud, "ankanode", "mac-2", says)


async def test_groups_count_their_macs_and_tell_what_is_wrong(fleet: Fleet) -> None:
    await fleet.group("ios", fallbackGroup="spare")
    lost = await fleet.see(GROUPS, "ios", lambda group: is_true(group.status.conditions, "Stalled"))
    assert "There is no NodeGroup spare" in condition(lost, "Stalled").message
    await fleet.group("spare")
    await fleet.see(GROUPS, "ios", lambda group: is_true(group.status.conditions, "Ready"))
    await fleet.node("mac-1", groups=["ios"])
    await fleet.node("mac-2", groups=["ios", "nonesuch"], drainMode=True)
    group = await fleet.see(GROUPS, "ios", lambda group: (group.status.nodes, group.status.active_nodes) == (2, 1))
    assert group.status.observed_generation == group.metadata.generation
    node = await fleet.see(NODES, "mac-2", lambda node: is_true(node.status.conditions, "UnknownGroups"))
    assert "nonesuch" in condition(node, "UnknownGroups").message
    await fleet.client.patch(GROUPS, "spare", {"spec": {"fallbackGroup": "ios"}})
    for name in ("ios", "spare"):
        await fleet.see(GROUPS, name, lambda group: is_true(group.status.conditions, "Stalled"))


async def test_a_full_group_falls_back(fleet: Fleet) -> None:
    await fleet.group("spare")
    await fleet.group("ios", fallbackGroup="spare")
    await fleet.node("mac-1", slots=1, groups=["ios"])
    await fleet.node("mac-2", slots=1, groups=["spare"], holds=("v1",))
    await fleet.node("mac-3", slots=1, holds=("v1",))
    for node in ("mac-1", "mac-2", "mac-3"):
        await fleet.see(NODES, node, lambda node: node.status.state is NodeState.ACTIVE)
    for name in ("job-0", "job-1"):  # one by one: of those made in the same second, chance says who is first
        await fleet.instance(name, group="ios")
        await fleet.bound(name)
    await fleet.instance("job-2", group="ios")
    await fleet.told("job-2", "Scheduled", "Unschedulable", "0/3 nodes fit: 2 full, 1 not in group ios")
    await fleet.placed(mac_1=1, mac_2=1, waiting=1)


async def test_templates_show_who_holds_them(fleet: Fleet) -> None:
    await fleet.node("mac-1", holds=("v1", "v0"))
    template = await fleet.see(TEMPLATES, TEMPLATE, lambda template: len(template.status.nodes) == 2)
    assert [(held.node_name, held.tag) for held in template.status.nodes] == [("mac-1", "v0"), ("mac-1", "v1")]
    assert is_true(template.status.conditions, "Ready")


async def test_nothing_is_written_when_nothing_changes(fleet: Fleet, operator_cloud: LocalCloud) -> None:
    """Heartbeats, our own writes and the passing of time cause no write of any object."""
    await fleet.group("ios")
    for number in range(3):
        await fleet.node(f"mac-{number}", groups=["ios"], holds=("v1",))
    await fleet.instance("one", group="ios")
    await fleet.bound("one")
    await fleet.see(GROUPS, "ios", lambda group: group.status.active_nodes == 3)
    await fleet.see(TEMPLATES, TEMPLATE, lambda template: len(template.status.nodes) == 3)

    async def versions() -> dict[str, str]:
        flags = ("get", "anka", "--all-namespaces", "--output=json")
        objects = json.loads(await asyncio.to_thread(operator_cloud.kubectl.run, *flags))["items"]
        return {one["metadata"]["uid"]: one["metadata"]["resourceVersion"] for one in objects}

    async def rests() -> bool:
        before = await versions()
        await beats(fleet, len(fleet.alive) * 6)
        return await versions() == before

    # What was made a moment ago may still be told; what time or heartbeats let the operator write never rests.
    await until(rests, "objects that nobody writes")


async def beats(fleet: Fleet, count: int) -> None:
    """Return once so many heartbeats more were stored."""
    seen = 0
    async with fleet.client.watch(
        LEASES,
        Selection("anka-nodes"),
        resource_version=(await fleet.client.list(LEASES, "anka-nodes")).resource_version,
    ) as chunks:
        async for chunk in chunks:
            seen += chunk.count(b'"type":"MODIFIED"')
            if seen >= count:
                break
