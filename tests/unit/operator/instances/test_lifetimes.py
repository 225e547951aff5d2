"""Instances whose time is over."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from anka_crds.api import Phase
from anka_crds.rules.condition_list import find
from anka_operator.instances.lifetimes import InstanceLifetimes
from support.objects import START, instance
from support.operator_rig import Rig

STARTED = {"nodeName": "mac-1", "phase": "Started", "startedAt": START.isoformat()}
ERROR = {"nodeName": "mac-1", "phase": "Error", "finishedAt": START.isoformat()}
NO_MACS = {
    "type": "Scheduled", "status": "False", "reason": "Unschedulable", "message": "0/3 nodes fit: 3 full",
    "lastTransitionTime": START.isoformat(),
}  # fmt: skip


@pytest.fixture
def lifetimes(rig: Rig) -> InstanceLifetimes:
    return InstanceLifetimes(rig.cluster, rig.clock, rig.recorder)


def verbs(rig: Rig) -> list[str]:
    return [seen.verb for seen in rig.writes()]


@pytest.mark.parametrize(
    ("status", "spec", "reason"),
    [
        (STARTED, {"maxLifetimeSeconds": 30}, "MaxLifetimeExceeded"),
        (ERROR, {"ttlSecondsAfterFinished": 30}, "TTLAfterFinished"),
    ],
)
async def test_deleted_when_its_time_is_over_and_not_before(
    rig: Rig, lifetimes: InstanceLifetimes, status: dict[str, Any], spec: dict[str, Any], reason: str
) -> None:
    now = (rig.clock.now() - START).total_seconds()
    shifted = {key: _later(value, now) if key.endswith("At") else value for key, value in status.items()}
    await rig.put(instance(status=shifted, **spec))
    assert await lifetimes.run_once() == pytest.approx(30, abs=1)
    assert verbs(rig) == []
    rig.clock.advance(31)
    await lifetimes.run_once()
    assert (verbs(rig), rig.event_writes()) == (["delete"], 1)
    assert rig.instance().metadata.deletion_timestamp is not None
    (event,) = rig.api.objects["events"].values()
    assert (event["reason"], event["type"]) == (reason, "Normal")
    await lifetimes.run_once()
    assert (verbs(rig), rig.event_writes()) == (["delete"], 1), "it is going: once is enough"


def _later(moment: str, seconds: float) -> str:
    return (START + timedelta(seconds=seconds)).isoformat()


async def test_one_that_found_no_node_in_time_fails_and_says_why(rig: Rig, lifetimes: InstanceLifetimes) -> None:
    await rig.put(
        instance(status={"phase": "Scheduling", "conditions": [NO_MACS]}, startDeadlineSeconds=60),
        instance("untold", startDeadlineSeconds=60),
        instance("patient"),
    )
    rig.clock.advance(61)
    await lifetimes.run_once()
    one = rig.instance().status
    words = "The VM had not started 60 s after it was asked for: no node was found (0/3 nodes fit: 3 full)"
    assert (one.phase, one.message) == (Phase.ERROR, words)
    ready, scheduled = find(one.conditions, "Ready"), find(one.conditions, "Scheduled")
    assert ready is not None
    assert (ready.status, ready.reason, ready.message) == ("False", "StartDeadlineExceeded", words)
    assert scheduled is not None
    assert scheduled.message == "0/3 nodes fit: 3 full"
    assert one.finished_at is not None
    assert rig.instance("untold").status.phase is Phase.ERROR
    assert rig.instance("patient").status.phase is Phase.SCHEDULING
    await lifetimes.run_once()
    assert verbs(rig) == ["update", "update"]


async def test_the_deadline_of_one_with_a_node_is_its_agents(rig: Rig, lifetimes: InstanceLifetimes) -> None:
    await rig.put(instance(status={"phase": "Pulling", "nodeName": "mac-1"}, startDeadlineSeconds=60))
    rig.clock.advance(1000)
    await lifetimes.run_once()
    assert verbs(rig) == []


async def test_a_bind_of_the_same_moment_wins(rig: Rig, lifetimes: InstanceLifetimes) -> None:
    await rig.put(instance(startDeadlineSeconds=60))
    stale = rig.instance()
    await rig.put(instance(status={"phase": "Scheduling", "nodeName": "mac-1"}, startDeadlineSeconds=60))
    rig.clock.advance(61)
    rig.cluster.stores.instances.by_index = lambda *_: (stale,)  # type: ignore[method-assign]
    await lifetimes.run_once()
    assert rig.api.objects["ankainstances"][("default", "one")]["status"]["phase"] == "Scheduling"
