from __future__ import annotations

import asyncio
import math
from typing import Any

import pytest

from anka_crds.kube.client import KubeClient
from anka_crds.kube.errors import ServerError
from anka_crds.kube.heartbeat import LeaseHeartbeat
from support.manual_clock import ManualClock
from support.scripted_api import Fault, ScriptedApi

OWNER = {"apiVersion": "anka.veertu.com/v1alpha1", "kind": "AnkaNode", "name": "m1", "uid": "u"}
KEY = ("ns", "m1")


@pytest.fixture
def heartbeat(client: KubeClient, clock: ManualClock) -> LeaseHeartbeat:
    return LeaseHeartbeat(
        client, "ns", "m1", "agent-1", owner_reference=OWNER, clock=clock, sleep=clock.sleep, chance=lambda: 0.5
    )


def lease(api: ScriptedApi) -> dict[str, Any]:
    return api.objects["leases"][KEY]


async def test_created_with_all_that_others_need(api: ScriptedApi, heartbeat: LeaseHeartbeat) -> None:
    assert heartbeat.last_success_age == math.inf
    await heartbeat.beat()
    assert lease(api)["spec"] == {
        "holderIdentity": "agent-1",
        "leaseDurationSeconds": 40,
        "acquireTime": "2026-01-01T00:00:00.000000Z",
        "renewTime": "2026-01-01T00:00:00.000000Z",
        "leaseTransitions": 0,
    }
    assert lease(api)["metadata"]["ownerReferences"] == [OWNER]
    assert heartbeat.last_success_age == 0


async def test_later_beats_write_the_time_alone(
    api: ScriptedApi, heartbeat: LeaseHeartbeat, clock: ManualClock
) -> None:
    await heartbeat.beat()
    clock.advance(10)
    await heartbeat.beat()
    assert api.seen[-1].body == {"spec": {"renewTime": "2026-01-01T00:00:10.000000Z"}}
    assert lease(api)["spec"]["holderIdentity"] == "agent-1"


async def test_a_new_process_states_itself_on_an_old_lease(api: ScriptedApi, heartbeat: LeaseHeartbeat) -> None:
    api.put("leases", "m1", "ns", spec={"holderIdentity": "before", "leaseDurationSeconds": 5})
    await heartbeat.beat()
    assert lease(api)["spec"]["holderIdentity"] == "agent-1"
    assert lease(api)["spec"]["leaseDurationSeconds"] == 40
    assert lease(api)["metadata"]["ownerReferences"] == [OWNER]
    assert api.count("create") == 0


async def test_deleted_it_is_created_again(api: ScriptedApi, heartbeat: LeaseHeartbeat) -> None:
    await heartbeat.beat()
    api.remove("leases", "m1", "ns")
    await heartbeat.beat()
    assert lease(api)["spec"]["holderIdentity"] == "agent-1"


async def test_created_by_another_in_between_it_is_taken_at_the_next_beat(
    api: ScriptedApi, heartbeat: LeaseHeartbeat
) -> None:
    api.fail("patch", Fault(404))
    api.put("leases", "m1", "ns", spec={"holderIdentity": "other"})
    await heartbeat.beat()
    assert heartbeat.last_success_age == math.inf
    await heartbeat.beat()
    assert lease(api)["spec"]["holderIdentity"] == "agent-1"
    assert heartbeat.last_success_age == 0


async def test_a_failure_is_told_to_who_beats_by_hand(api: ScriptedApi, heartbeat: LeaseHeartbeat) -> None:
    api.fail("patch", Fault(500))
    with pytest.raises(ServerError):
        await heartbeat.beat()


async def test_goes_on_through_an_outage_at_its_own_pace(
    api: ScriptedApi, heartbeat: LeaseHeartbeat, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    api.fail("patch", Fault(500), times=20)
    async with heartbeat:
        await api.until(lambda: api.faults_left == 0 and KEY in api.objects.get("leases", {}))
    assert len([record for record in caplog.records if "500" in record.message]) == 1
    assert all(9 <= nap <= 10 for nap in clock.naps)
    assert len(clock.naps) >= 20


async def test_stops_when_its_context_ends(api: ScriptedApi, heartbeat: LeaseHeartbeat) -> None:
    async with heartbeat:
        await api.until(lambda: api.count("patch") >= 3)
    requests = len(api.seen)
    await asyncio.sleep(0)
    assert len(api.seen) == requests


def test_a_pace_slower_than_the_duration_is_refused(client: KubeClient) -> None:
    with pytest.raises(ValueError, match="renewed within its duration, got 40 s of 40 s"):
        LeaseHeartbeat(client, "ns", "m1", "me", renew_seconds=40)
