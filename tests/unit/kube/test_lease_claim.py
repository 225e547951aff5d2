"""Who may hold a Lease: the table of what a machine sees, and what it does."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from anka_kube.client import KubeClient
from anka_kube.lease import CHALLENGER
from anka_kube.lease_claim import LeaseClaim
from support.manual_clock import ManualClock
from support.scripted_api import Fault, ScriptedApi


def lease(api: ScriptedApi, holder: str | None, beat: int = 0) -> dict[str, Any]:
    spec = {"holderIdentity": holder, "leaseDurationSeconds": 40, "renewTime": f"2026-01-01T00:00:{beat:02}.000000Z"}
    known = api.objects.get("leases", {}).get(("ns", "m1"), {"metadata": {}})
    return api.put("leases", "m1", "ns", spec=spec, metadata=known["metadata"])


@pytest.fixture
def claim(client: KubeClient, clock: ManualClock) -> LeaseClaim:
    return LeaseClaim(
        client,
        "ns",
        "m1",
        "m1/ours",
        duration_seconds=40,
        look_seconds=10,
        given_up_seconds=300,
        describe=lambda: "ours",
        clock=clock,
        sleep=clock.sleep,
    )


@pytest.mark.parametrize("holder", [None, "m1/ours"])
async def test_what_is_free_or_ours_needs_no_wait(api: ScriptedApi, claim: LeaseClaim, holder: str | None) -> None:
    lease(api, holder)
    found = await claim.acquire()
    assert found is not None
    assert (found.holder, claim.problem) == (holder, None)


async def test_without_a_lease_there_is_nothing_to_wait_for(claim: LeaseClaim) -> None:
    assert await claim.acquire() is None


async def test_a_silent_machine_is_replaced_once_its_lease_has_run_out(
    api: ScriptedApi, claim: LeaseClaim, clock: ManualClock
) -> None:
    """The time in the Lease counts for nothing: its writer's clock may be wrong."""
    lease(api, "m1/other")
    found = await claim.acquire()
    assert found is not None
    assert (found.holder, clock.monotonic()) == ("m1/other", 40)
    assert api.count("patch") == 0, "nobody to challenge"


async def test_a_machine_at_work_is_not_disturbed_and_people_are_told(
    api: ScriptedApi, claim: LeaseClaim, clock: ManualClock
) -> None:
    for beat in range(30):
        lease(api, "m1/other", beat)
        waiting = asyncio.create_task(claim.acquire())
        before = len(clock.naps)
        await api.until(lambda before=before: len(clock.naps) > before)  # type: ignore[misc]
        assert not waiting.done()
        waiting.cancel()
    assert "touches nothing" in str(claim.problem)
    found = api.objects["leases"]["ns", "m1"]
    assert found["spec"]["holderIdentity"] == "m1/other"
    assert found["metadata"]["annotations"] == {CHALLENGER: "ours"}
    challenges = [seen for seen in api.seen if seen.verb == "patch"]
    assert 2 <= len(challenges) <= 6, "about one a minute, however often it looks"
    assert all(seen.body.keys() == {"metadata"} for seen in challenges)


async def test_one_that_was_seen_at_work_is_given_up_much_later(
    api: ScriptedApi, claim: LeaseClaim, clock: ManualClock
) -> None:
    lease(api, "m1/other", 1)
    waiting = asyncio.create_task(claim.acquire())
    await api.until(lambda: len(clock.naps) >= 1)
    lease(api, "m1/other", 2)
    seen_at = clock.monotonic()
    found = await waiting
    assert found is not None
    assert 300 <= clock.monotonic() - seen_at <= 330


async def test_an_api_that_is_away_is_waited_for(api: ScriptedApi, claim: LeaseClaim) -> None:
    lease(api, "m1/ours")
    api.fail("get", Fault(403), times=2)
    assert await claim.acquire() is not None
    assert "cannot be read" in str(claim.problem)
