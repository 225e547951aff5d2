"""What nobody else can do any more."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from anka_crds.api import AnkaNode, Phase
from anka_operator.instances.cleanup import InstanceCleanup
from support.objects import FINALIZER, START, instance, node
from support.operator_rig import Rig

DELETED = {"deletionTimestamp": "2026-01-01T00:00:00Z"}
STARTED = {"nodeName": "mac-1", "phase": "Started"}


def offline(since: float = 0) -> AnkaNode:
    moment = (START + timedelta(seconds=since)).isoformat()
    alive = {"type": "Alive", "status": "False", "reason": "NoHeartbeat", "message": "", "lastTransitionTime": moment}
    return node(state="Offline", status={"conditions": [alive]})


@pytest.fixture
def cleanup(rig: Rig) -> InstanceCleanup:
    return InstanceCleanup(rig.cluster, rig.clock, rig.recorder, lost_seconds=300)


def exists(rig: Rig, name: str = "one") -> bool:
    return ("default", name) in rig.api.objects["ankainstances"]


async def test_a_pending_one_goes_at_once(rig: Rig, cleanup: InstanceCleanup) -> None:
    await rig.put(instance(meta=DELETED))
    await cleanup.run_once()
    assert not exists(rig)
    assert len(rig.writes()) == 1


async def test_finalizers_of_others_hold_it(rig: Rig, cleanup: InstanceCleanup) -> None:
    await rig.put(instance(meta={**DELETED, "finalizers": ["other", FINALIZER]}))
    await cleanup.run_once()
    await cleanup.run_once()
    assert rig.instance().metadata.finalizers == ["other"]
    assert len(rig.writes()) == 1


@pytest.mark.parametrize("mac", [node(), node(state="Drain Mode"), node(state=None), offline(since=10)])
async def test_a_node_that_lives_does_it_itself(rig: Rig, cleanup: InstanceCleanup, mac: AnkaNode) -> None:
    await rig.put(mac, instance(status=STARTED, meta=DELETED), instance("two", status=STARTED))
    await cleanup.run_once()
    assert rig.writes() == []


async def test_a_node_that_is_gone(rig: Rig, cleanup: InstanceCleanup) -> None:
    await rig.put(instance(status=STARTED, meta=DELETED), instance("two", status=STARTED))
    await cleanup.run_once()
    assert not exists(rig)
    two = rig.instance("two").status
    assert (two.phase, two.message) == (Phase.ERROR, "Node mac-1 was removed while the instance was on it")
    await cleanup.run_once()
    assert len(rig.writes()) == 2


async def test_a_node_that_is_deleted_while_we_watch(rig: Rig, cleanup: InstanceCleanup) -> None:
    mac = node()
    await rig.put(mac, instance(status=STARTED))
    await cleanup.run_once()
    await rig.remove(mac)
    await cleanup.run_once()
    assert rig.instance().status.phase is Phase.ERROR


async def test_silence_is_borne_for_a_while(rig: Rig, cleanup: InstanceCleanup) -> None:
    await rig.put(
        offline(since=0),
        instance(status=STARTED),
        instance("moves", status=STARTED, nodeLostPolicy="Reschedule"),
        instance("leaves", status=STARTED, meta=DELETED),
        instance("failed", status={**STARTED, "phase": "Error"}),
    )
    rig.clock.advance(299)
    assert await cleanup.run_once() == 1
    assert rig.writes() == []
    rig.clock.advance(1)
    await cleanup.run_once()
    one = rig.instance().status
    assert (one.phase, one.message) == (Phase.ERROR, "Node mac-1 is lost: no heartbeat for 0:05:00")
    moved = rig.instance("moves").status
    assert (moved.phase, moved.node_name) == (Phase.SCHEDULING, None)
    assert not exists(rig, "leaves")
    assert len(rig.writes()) == 3
    words = "Node mac-1 is lost: no heartbeat for 0:05:00; starts again on another node"
    assert rig.events() == [("Normal", "Rescheduled", words, 1)]
    await cleanup.run_once()
    assert len(rig.writes()) == 3


async def test_a_bind_of_this_moment_wins(rig: Rig, cleanup: InstanceCleanup) -> None:
    """Guarded: our cache does not know yet that the instance was bound before it was deleted."""
    await rig.put(instance(meta=DELETED))
    rig.api.objects["ankainstances"]["default", "one"]["metadata"]["resourceVersion"] = "9999"
    await cleanup.run_once()
    assert exists(rig)


@pytest.mark.parametrize(
    ("before", "wanted"),
    [({}, False), ({"meta": DELETED}, True), ({"status": STARTED}, True)],
)
async def test_what_wakes_it(rig: Rig, cleanup: InstanceCleanup, before: dict[str, Any], wanted: bool) -> None:
    cleanup._woken.clear()
    await rig.put(instance(**before))
    assert cleanup._woken.is_set() is wanted
