from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from anka_kube.client import KubeClient
from anka_kube.errors import Unreachable
from anka_kube.leader import LeaderElector
from support.manual_clock import ManualClock
from support.scripted_api import Fault, ScriptedApi

KEY = ("ns", "scheduler")


def elector(client: KubeClient, clock: ManualClock, identity: str, **options: Any) -> LeaderElector:
    times = {"lease_duration": 15.0, "renew_deadline": 10.0, "retry": 2.0}
    options = {**times, "clock": clock, "sleep": clock.sleep, "chance": lambda: 0.0, **options}
    return LeaderElector(client, "ns", "scheduler", identity, **options)


def spec(api: ScriptedApi) -> dict[str, Any]:
    found: dict[str, Any] = api.objects["leases"][KEY]["spec"]
    return found


class Pacer:
    """A sleep that blocks until the test lets it go on, so that a renewer stands still where it is."""

    def __init__(self, clock: ManualClock) -> None:
        self._clock = clock
        self._step = asyncio.Event()
        self.waiting = asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        self.waiting.set()
        await self._step.wait()
        self._step.clear()
        self._clock.advance(seconds)

    async def step(self) -> None:
        await asyncio.wait_for(self.waiting.wait(), 20)
        self.waiting.clear()
        self._step.set()
        await asyncio.sleep(0)


async def test_the_first_one_creates_the_lease_and_renews_it(
    api: ScriptedApi, client: KubeClient, clock: ManualClock
) -> None:
    pacer = Pacer(clock)
    async with elector(client, clock, "one", sleep=pacer.sleep) as leader:
        assert leader.is_leading
        assert spec(api)["holderIdentity"] == "one"
        assert spec(api)["leaseDurationSeconds"] == 15
        first = spec(api)["renewTime"]
        await pacer.step()
        await api.until(lambda: spec(api)["renewTime"] != first or api.count("patch") == 1)
        await asyncio.wait_for(pacer.waiting.wait(), 20)
        assert leader.is_leading
        assert api.seen[-1].body["spec"].keys() == {"renewTime"}
        assert "resourceVersion" in api.seen[-1].body["metadata"]


async def test_released_the_next_takes_over_at_once(api: ScriptedApi, client: KubeClient, clock: ManualClock) -> None:
    first, second = elector(client, clock, "one", sleep=Pacer(clock).sleep), elector(client, clock, "two")
    await first.acquire()
    await first.release()
    assert "holderIdentity" not in spec(api)
    assert not first.is_leading
    assert not first.lost.is_set()
    before = clock.monotonic()
    async with second:
        assert clock.monotonic() - before < 2
        assert spec(api)["holderIdentity"] == "two"
        assert spec(api)["leaseTransitions"] == 1


async def test_killed_the_next_waits_a_full_duration_of_its_own_clock(
    api: ScriptedApi, client: KubeClient, clock: ManualClock
) -> None:
    first = elector(client, clock, "one", sleep=Pacer(clock).sleep)
    await first.acquire()
    # The holder's wall clock is far ahead: what it wrote must not matter.
    api.put("leases", "scheduler", "ns", spec={**spec(api), "renewTime": "2030-01-01T00:00:00.000000Z"})
    clock.advance(100)
    before = clock.monotonic()
    second = elector(client, clock, "two")
    await second.acquire()
    assert 15 <= clock.monotonic() - before <= 18
    assert spec(api)["holderIdentity"] == "two"
    await first.release()
    await second.release()


async def test_killed_the_next_asks_the_moment_the_lease_runs_out(
    api: ScriptedApi, client: KubeClient, clock: ManualClock
) -> None:
    first = elector(client, clock, "one", sleep=Pacer(clock).sleep)
    await first.acquire()
    before = clock.monotonic()
    second = elector(client, clock, "two", retry=4.0, chance=lambda: 1.0)
    await second.acquire()
    assert clock.monotonic() - before == pytest.approx(15)
    await first.release()
    await second.release()


async def test_a_holder_that_renews_is_left_alone(api: ScriptedApi, client: KubeClient, clock: ManualClock) -> None:
    first = elector(client, clock, "one", sleep=Pacer(clock).sleep)
    await first.acquire()

    async def tick(seconds: float) -> None:
        await clock.sleep(seconds)
        api.put("leases", "scheduler", "ns", spec={**spec(api), "renewTime": f"renewed {clock.monotonic()}"})
        if clock.monotonic() > 300:
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await elector(client, clock, "two", sleep=tick).acquire()
    assert spec(api)["holderIdentity"] == "one"
    await first.release()


@pytest.mark.parametrize("fault", [Fault(500), Fault(503), Fault(403), Fault(429, retry_after=30)])
async def test_lost_when_it_cannot_renew_in_time(
    api: ScriptedApi, client: KubeClient, clock: ManualClock, fault: Fault
) -> None:
    leader = elector(client, clock, "one")
    await leader.acquire()
    api.fail("patch", fault, times=1000)
    lost_after = clock.monotonic()
    await asyncio.wait_for(leader.lost.wait(), 20)
    assert not leader.is_leading
    assert clock.monotonic() - lost_after <= 12
    patches = api.count("patch")
    await leader.release()
    assert api.count("patch") == patches, "what is lost is not ours to free"


async def test_not_leading_from_the_deadline_on_even_before_the_loop_notices(
    client: KubeClient, clock: ManualClock
) -> None:
    leader = elector(client, clock, "one", sleep=Pacer(clock).sleep)
    await leader.acquire()
    clock.advance(10)
    assert not leader.is_leading
    await leader.release()


def _stolen(api: ScriptedApi) -> None:
    api.put("leases", "scheduler", "ns", spec={**spec(api), "holderIdentity": "thief"})


def _deleted(api: ScriptedApi) -> None:
    api.remove("leases", "scheduler", "ns")


@pytest.mark.parametrize("happening", [_stolen, _deleted])
async def test_lost_when_the_lease_is_no_longer_ours(
    api: ScriptedApi, client: KubeClient, clock: ManualClock, happening: Callable[[ScriptedApi], None]
) -> None:
    leader = elector(client, clock, "one")
    await leader.acquire()
    happening(api)
    await asyncio.wait_for(leader.lost.wait(), 20)
    assert not leader.is_leading
    await leader.release()
    if happening is _stolen:
        assert spec(api)["holderIdentity"] == "thief"


async def test_a_renewal_whose_answer_was_lost_is_no_loss(
    api: ScriptedApi, client: KubeClient, clock: ManualClock
) -> None:
    pacer = Pacer(clock)
    leader = elector(client, clock, "one", sleep=pacer.sleep)
    await leader.acquire()
    api.fail("patch", Fault(200, drop=True))
    for _ in range(3):
        await pacer.step()
    await asyncio.wait_for(pacer.waiting.wait(), 20)
    assert leader.is_leading
    assert not leader.lost.is_set()
    await leader.release()
    assert "holderIdentity" not in spec(api)


async def test_outage_while_waiting_is_outlived(api: ScriptedApi, client: KubeClient, clock: ManualClock) -> None:
    api.fail("get", Fault(500), times=60)
    async with elector(client, clock, "one") as leader:
        assert leader.is_leading


async def test_two_at_once_never_both(api: ScriptedApi, client: KubeClient, clock: ManualClock) -> None:
    candidates = [elector(client, clock, name, sleep=Pacer(clock).sleep) for name in ("one", "two")]
    tasks = [asyncio.create_task(candidate.acquire()) for candidate in candidates]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    await api.until(lambda: api.count("get") >= 2)
    assert sum(candidate.is_leading for candidate in candidates) == 1
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    for candidate in candidates:
        await candidate.release()


@pytest.mark.parametrize(
    "options", [{"renew_deadline": 15.0}, {"retry": 10.0}, {"retry": 0.0}, {"lease_duration": 9.0}]
)
def test_times_that_could_give_two_leaders_are_refused(
    client: KubeClient, clock: ManualClock, options: dict[str, float]
) -> None:
    with pytest.raises(ValueError, match="retry < renew deadline < lease duration"):
        elector(client, clock, "one", **options)


async def test_a_slow_api_gets_half_of_what_is_left(
    api: ScriptedApi, client: KubeClient, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Renewing every 2 s must not mean to give up on every answer that takes longer."""
    leader = elector(client, clock, "one")
    await leader.acquire()
    patience: list[float] = []
    patch = client.patch

    async def patient(*args: Any, deadline: float, **kwargs: Any) -> Any:
        patience.append(deadline)
        return await patch(*args, deadline=deadline, **kwargs)

    monkeypatch.setattr(client, "patch", patient)
    api.fail("patch", Fault(500), times=1000)
    await asyncio.wait_for(leader.lost.wait(), 20)
    assert patience == pytest.approx([4, 3, 2, 2], abs=0.5)
    await leader.release()


async def test_annotations_go_with_the_renewal_and_cost_no_write(
    api: ScriptedApi, client: KubeClient, clock: ManualClock
) -> None:
    def annotations() -> dict[str, str]:
        found: dict[str, str] = api.objects["leases"][KEY]["metadata"].get("annotations", {})
        return found

    first = elector(client, clock, "one", sleep=Pacer(clock).sleep)
    await first.acquire()
    assert first.annotations == {}
    first.annotate("sent", "1")
    assert annotations() == {}
    await first.release()
    assert (annotations(), api.count("patch")) == ({"sent": "1"}, 1)
    assert first.annotations == {}, "it does not lead"
    second = elector(client, clock, "two", sleep=Pacer(clock).sleep)
    await second.acquire()
    assert second.annotations == {"sent": "1"}
    second.annotate("sent", "2")
    await second.release()
    # What it said when it led before must not come back.
    await first.acquire()
    assert first.annotations == {"sent": "2"}
    await first.release()
    assert annotations() == {"sent": "2"}


async def test_a_renewal_takes_what_is_new_along_once(api: ScriptedApi, client: KubeClient, clock: ManualClock) -> None:
    pacer = Pacer(clock)
    async with elector(client, clock, "one", sleep=pacer.sleep) as leader:
        leader.annotate("sent", "1")
        for _ in range(2):
            await pacer.step()
            await asyncio.wait_for(pacer.waiting.wait(), 20)
        patches = [seen.body["metadata"].get("annotations") for seen in api.seen if seen.verb == "patch"]
        assert patches == [{"sent": "1"}, None]


def slow_down(client: KubeClient, clock: ManualClock, seconds: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each answer takes so long; what was asked is done all the same if nobody waits for it."""

    def slow(call: Callable[..., Any]) -> Callable[..., Any]:
        async def answer(*args: Any, deadline: float, **kwargs: Any) -> Any:
            found = await call(*args, deadline=20, **kwargs)
            clock.advance(min(seconds, deadline))
            if seconds > deadline:
                raise Unreachable("no answer in time", sent=True)
            return found

        return answer

    for verb in ("get", "create", "patch"):
        monkeypatch.setattr(client, verb, slow(getattr(client, verb)))


@pytest.mark.parametrize("seconds", [0.01, 1.0, 2.0, 3.0, 4.5])
async def test_an_api_that_answers_in_less_than_half_the_deadline_costs_no_leadership(
    client: KubeClient, clock: ManualClock, monkeypatch: pytest.MonkeyPatch, seconds: float
) -> None:
    """An overloaded apiserver took 2 s for each answer, and the leader changed every few seconds."""
    leader = elector(client, clock, "one")
    slow_down(client, clock, seconds, monkeypatch)
    await leader.acquire()
    assert leader.is_leading
    end = clock.monotonic() + 120
    while clock.monotonic() < end:
        assert not leader.lost.is_set()
        await asyncio.sleep(0)
    await leader.release()


async def test_the_reading_before_does_not_count_against_a_new_leader(
    api: ScriptedApi, client: KubeClient, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = elector(client, clock, "one", sleep=Pacer(clock).sleep)
    await first.acquire()
    await first.release()
    leader = elector(client, clock, "two", sleep=Pacer(clock).sleep)
    slow_down(client, clock, 6.0, monkeypatch)
    await leader.acquire()
    assert leader.is_leading
    clock.advance(3.9)
    assert leader.is_leading
    clock.advance(0.2)
    assert not leader.is_leading, "10 s after it asked for the Lease"
    await leader.release()


async def test_nobody_leads_by_an_answer_that_came_too_late(
    client: KubeClient, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    leader = elector(client, clock, "one")
    create, took = client.create, [10.0, 0.1]

    async def late(*args: Any, **kwargs: Any) -> Any:
        found = await create(*args, **kwargs)
        clock.advance(took.pop(0))
        return found

    monkeypatch.setattr(client, "create", late)
    await leader.acquire()
    assert leader.is_leading
    assert took == [0.1], "the Lease was its own by then, and it asked again"
    await leader.release()
