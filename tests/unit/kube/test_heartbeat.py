from __future__ import annotations

import asyncio
import copy
import math
from contextlib import AsyncExitStack
from typing import Any

import pytest

from anka_kube.api_clock import ApiClock
from anka_kube.client import KubeClient
from anka_kube.endpoint import Endpoint
from anka_kube.errors import NotHolding, ServerError
from anka_kube.heartbeat import LeaseHeartbeat, LeaseTaken
from anka_kube.lease import CHALLENGER, Lease, micro_time
from support.manual_clock import ManualClock
from support.scripted_api import Fault, ScriptedApi

OWNER = {"apiVersion": "anka.veertu.com/v1alpha1", "kind": "AnkaNode", "name": "m1", "uid": "u"}
KEY = ("ns", "m1")


@pytest.fixture
def heartbeat(client: KubeClient, clock: ManualClock) -> LeaseHeartbeat:
    return LeaseHeartbeat(
        client,
        "ns",
        "m1",
        "agent-1",
        duration_seconds=40,
        renew_seconds=10,
        owner_reference=OWNER,
        clock=clock,
        sleep=clock.sleep,
        chance=lambda: 0.5,
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
    body = api.seen[-1].body
    assert body.pop("metadata").keys() == {"resourceVersion"}
    assert body == {"spec": {"renewTime": "2026-01-01T00:00:10.000000Z"}}
    assert lease(api)["spec"]["holderIdentity"] == "agent-1"


def claimed(client: KubeClient, clock: ManualClock, lease: dict[str, Any]) -> LeaseHeartbeat:
    """The heartbeat of a machine that has found this Lease to be free."""
    return LeaseHeartbeat(
        client, "ns", "m1", "agent-1", duration_seconds=40, renew_seconds=10, owner_reference=OWNER,
        claimed=Lease.parse(lease), clock=clock, sleep=clock.sleep,
    )  # fmt: skip


async def test_a_machine_that_takes_the_place_of_another_states_itself(
    api: ScriptedApi, client: KubeClient, clock: ManualClock
) -> None:
    before = api.put(
        "leases", "m1", "ns",
        spec={"holderIdentity": "before", "leaseDurationSeconds": 5, "leaseTransitions": 3},
        metadata={"annotations": {CHALLENGER: "this one"}},
    )  # fmt: skip
    await claimed(client, clock, before).beat()
    found = lease(api)
    assert (found["spec"]["holderIdentity"], found["spec"]["leaseDurationSeconds"]) == ("agent-1", 40)
    assert (found["spec"]["leaseTransitions"], found["spec"]["acquireTime"][:4]) == (4, "2026")
    assert found["metadata"]["ownerReferences"] == [OWNER]
    assert CHALLENGER not in found["metadata"].get("annotations", {})
    assert api.count("create") == 0


async def test_what_was_free_and_is_taken_by_another_first_is_the_other_s(
    api: ScriptedApi, client: KubeClient, clock: ManualClock
) -> None:
    free = copy.deepcopy(api.put("leases", "m1", "ns", spec={"holderIdentity": "before"}))
    api.put("leases", "m1", "ns", spec={"holderIdentity": "quicker"})
    with pytest.raises(LeaseTaken, match="quicker"):
        await claimed(client, clock, free).beat()
    assert lease(api)["spec"]["holderIdentity"] == "quicker"


async def test_a_machine_that_slept_sees_that_another_is_in_its_place(
    api: ScriptedApi, heartbeat: LeaseHeartbeat, clock: ManualClock
) -> None:
    await heartbeat.beat()
    heartbeat.check_held()
    clock.advance(40)
    with pytest.raises(NotHolding):
        heartbeat.check_held()
    taken = {"holderIdentity": "other", "renewTime": "2026-01-01T00:00:39.000000Z"}
    api.put("leases", "m1", "ns", spec=taken)
    with pytest.raises(LeaseTaken, match="other"):
        await heartbeat.beat()
    assert lease(api)["spec"] == taken, "the other's Lease is as it was"
    with pytest.raises(NotHolding):
        heartbeat.check_held()


async def test_a_challenge_does_not_disturb_the_holder(
    api: ScriptedApi, heartbeat: LeaseHeartbeat, clock: ManualClock
) -> None:
    await heartbeat.beat()
    known = lease(api)
    api.put("leases", "m1", "ns", spec=known["spec"], metadata={**known["metadata"], "annotations": {CHALLENGER: "x"}})
    clock.advance(10)
    await heartbeat.beat()
    assert heartbeat.last_success_age == 0
    assert lease(api)["spec"]["renewTime"] == "2026-01-01T00:00:10.000000Z"
    assert lease(api)["metadata"]["annotations"] == {CHALLENGER: "x"}


async def test_annotations_go_with_each_renewal(api: ScriptedApi, client: KubeClient, clock: ManualClock) -> None:
    figures = iter(["1", "2"])

    async def annotate() -> dict[str, str]:
        clock.advance(1.5)
        return {"figure": next(figures)}

    heartbeat = LeaseHeartbeat(
        client, "ns", "m1", "agent-1", duration_seconds=40, renew_seconds=10, clock=clock,
        annotate=annotate,
    )  # fmt: skip
    for value in ("1", "2"):
        await heartbeat.beat()
        assert lease(api)["metadata"]["annotations"] == {"figure": value}
        assert lease(api)["spec"]["renewTime"] == micro_time(clock.now()), "the time of the renewal itself"
    assert len(api.seen) == 2, "no request but the renewals"


async def test_held_counts_from_the_request_not_from_its_answer(
    api: ScriptedApi,
    client: KubeClient,
    heartbeat: LeaseHeartbeat,
    clock: ManualClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Another machine may take the Lease 40 s after it changed, whenever the answer came."""
    await heartbeat.beat()
    patch = client.patch

    async def slow(*args: Any, **kwargs: Any) -> Any:
        found = await patch(*args, **kwargs)
        clock.advance(9)
        return found

    monkeypatch.setattr(client, "patch", slow)
    await heartbeat.beat()
    assert heartbeat.last_success_age == 9
    clock.advance(30)
    assert heartbeat.is_held
    clock.advance(1)
    assert not heartbeat.is_held
    # A challenge in between: what counts is the write after it.
    api.put("leases", "m1", "ns", **{key: value for key, value in lease(api).items() if key == "spec"})
    await heartbeat.beat()
    assert heartbeat.last_success_age == 9


async def test_deleted_it_is_created_again(api: ScriptedApi, heartbeat: LeaseHeartbeat) -> None:
    await heartbeat.beat()
    api.remove("leases", "m1", "ns")
    await heartbeat.beat()
    assert lease(api)["spec"]["holderIdentity"] == "agent-1"


async def test_created_by_another_in_between_it_is_the_other_s(api: ScriptedApi, heartbeat: LeaseHeartbeat) -> None:
    api.put("leases", "m1", "ns", spec={"holderIdentity": "other"})
    with pytest.raises(LeaseTaken, match="other"):
        await heartbeat.beat()
    assert heartbeat.last_success_age == math.inf
    assert lease(api)["spec"]["holderIdentity"] == "other"


async def test_a_failure_is_told_to_who_beats_by_hand(api: ScriptedApi, heartbeat: LeaseHeartbeat) -> None:
    await heartbeat.beat()
    api.fail("patch", Fault(500))
    with pytest.raises(ServerError):
        await heartbeat.beat()


async def test_goes_on_through_an_outage_at_its_own_pace(
    api: ScriptedApi, heartbeat: LeaseHeartbeat, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    api.fail("create", Fault(500), times=20)
    async with heartbeat:
        await api.until(lambda: api.faults_left == 0 and KEY in api.objects.get("leases", {}))
    assert len([record for record in caplog.records if "500" in record.message]) == 1
    assert all(4.5 <= nap <= 5 for nap in clock.naps[:20]), "the API answered: soon again"
    assert all(9 <= nap <= 10 for nap in clock.naps[20:])
    assert len(clock.naps) >= 20


async def test_where_nobody_listens_it_knocks_at_its_own_pace(clock: ManualClock) -> None:
    """Not again within a moment, as other requests: a thousand Macs do the same when the API comes back."""
    naps: list[float] = []
    enough = asyncio.Event()

    async def sleep(seconds: float) -> None:
        naps.append(seconds)
        if len(naps) == 20:
            enough.set()
        await clock.sleep(seconds)

    async with AsyncExitStack() as later:
        async with ScriptedApi().serve() as api:
            client = await later.enter_async_context(KubeClient(Endpoint(api.url), ApiClock(clock), sleep=sleep))
            heartbeat = LeaseHeartbeat(
                client, "ns", "m1", "m1", duration_seconds=40, renew_seconds=10, clock=clock, sleep=sleep
            )
            await heartbeat.beat()
        async with heartbeat:
            await enough.wait()
        assert all(9 <= nap <= 10 for nap in naps[:20])


async def test_stops_when_its_context_ends(api: ScriptedApi, heartbeat: LeaseHeartbeat) -> None:
    async with heartbeat:
        await api.until(lambda: api.count("patch") >= 3)
    requests = len(api.seen)
    await asyncio.sleep(0)
    assert len(api.seen) == requests


async def test_the_pace_may_change(api: ScriptedApi, heartbeat: LeaseHeartbeat, clock: ManualClock) -> None:
    paces = iter([10.0, 20.0])
    heartbeat.pace = lambda: next(paces, 30.0)
    async with heartbeat:
        await api.until(lambda: api.count("patch") >= 3)
    assert clock.naps[:3] == pytest.approx([9.5, 19, 28.5])


def test_a_pace_slower_than_the_duration_is_refused(client: KubeClient) -> None:
    with pytest.raises(ValueError, match="renewed within its duration, got 40 s of 40 s"):
        LeaseHeartbeat(client, "ns", "m1", "me", duration_seconds=40, renew_seconds=40)
