"""Events that never arrive, while the stream goes on."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator

import pytest

from anka_kube import comparison as module
from anka_kube.client import METADATA_ONLY, KubeClient
from anka_kube.comparison import WatchComparison
from anka_kube.errors import Forbidden
from anka_kube.reflector import Reflector
from anka_kube.store import Store
from anka_kube.unstructured import Unstructured
from support.manual_clock import ManualClock
from support.reflector_rig import THINGS, Rig, running
from support.scripted_api import Fault, ScriptedApi


@pytest.fixture
async def rig(api: ScriptedApi, client: KubeClient, clock: ManualClock) -> AsyncIterator[Rig]:
    for name in ("stays", "changes", "goes", "again"):
        api.put("things", name)
    async with running(api, client, clock) as rig:
        await rig.agree()
        await api.watched()
        yield rig


@pytest.fixture
def comparison(rig: Rig, client: KubeClient, clock: ManualClock) -> WatchComparison[Unstructured]:
    return WatchComparison(client, rig.store, sleep=clock.sleep, chance=lambda: 0.5)


async def lose_events(api: ScriptedApi, rig: Rig) -> None:
    """A change, a creation, a deletion and a new object of an old name; then the stream goes on."""
    api.swallowing = True
    api.put("things", "changes", spec="other")
    api.put("things", "comes")
    api.remove("things", "goes")
    api.remove("things", "again")
    api.put("things", "again")
    api.swallowing = False
    api.put("things", "later")
    await rig.until(lambda: rig.store.get("later", "default") is not None)
    assert rig.cached() != api.versions("things")


async def test_all_that_was_missed_is_delivered_and_counted(
    api: ScriptedApi, rig: Rig, comparison: WatchComparison[Unstructured]
) -> None:
    await lose_events(api, rig)
    rig.events.clear()
    assert await comparison.compare() == 4
    await rig.agree()
    assert sorted((type_, name) for type_, name, _ in rig.events) == [
        ("ADDED", "again"), ("ADDED", "comes"), ("DELETED", "again"), ("DELETED", "goes"), ("MODIFIED", "changes"),
    ]  # fmt: skip
    assert await comparison.compare() == 0
    assert api.count("watch") == 1, "the stream goes on"


async def test_a_store_that_misses_nothing_costs_one_list_of_metadata(
    api: ScriptedApi, comparison: WatchComparison[Unstructured], clock: ManualClock
) -> None:
    before, naps = len(api.seen), len(clock.naps)
    assert await comparison.compare() == 0
    (asked,) = api.seen[before:]
    assert (asked.verb, asked.headers["Accept"]) == ("list", METADATA_ONLY)
    assert len(clock.naps) == naps


@pytest.mark.parametrize(("page_size", "limits"), [(2, ["2", "2"]), (0, [None])])
async def test_in_pages_or_whole(api: ScriptedApi, rig: Rig, page_size: int, limits: list[str | None]) -> None:
    before = len(api.seen)
    comparison = WatchComparison(rig.reflector.client, rig.store, page_size=page_size)
    assert await comparison.compare() == 0
    assert [seen.query.get("limit") for seen in api.seen[before:]] == limits


async def test_an_event_that_is_merely_late_counts_as_none(api: ScriptedApi, rig: Rig, client: KubeClient) -> None:
    """What the store learns while the comparison runs, or in the time of grace, is not missed."""
    api.swallowing = True
    api.put("things", "changes", spec="other")
    api.remove("things", "goes")
    api.swallowing = False

    async def arrive(_: float) -> None:
        rig.store.observe(THINGS.parse(api.objects["things"]["default", "changes"]))
        gone = rig.store.get("goes", "default")
        assert gone is not None
        rig.store.observe_deleted(("default", "goes"), gone.metadata.uid or "", str(api.version))

    assert await WatchComparison(client, rig.store, sleep=arrive).compare() == 0
    await rig.agree()


async def test_what_the_watch_brings_while_others_are_read_stays(
    api: ScriptedApi, rig: Rig, comparison: WatchComparison[Unstructured]
) -> None:
    api.swallowing = True
    api.put("things", "changes", spec="other")
    api.remove("things", "goes")
    api.swallowing = False

    def come_back() -> None:
        if "fieldSelector" in api.seen[-1].query and ("default", "goes") not in api.objects["things"]:
            rig.store.observe(THINGS.parse(api.put("things", "goes")))

    api.listeners.append(come_back)
    assert await comparison.compare() == 1
    await rig.agree()


async def test_what_was_repaired_before_an_error_is_counted(
    api: ScriptedApi, rig: Rig, comparison: WatchComparison[Unstructured], caplog: pytest.LogCaptureFixture
) -> None:
    api.swallowing = True
    api.remove("things", "changes")
    api.put("things", "stays", spec="other")
    api.swallowing = False

    def refuse() -> None:
        if "fieldSelector" in api.seen[-1].query:
            api.fail("list", Fault(403))

    api.listeners.append(refuse)
    with pytest.raises(Forbidden):
        await comparison.compare()
    assert "had missed events of 1 objects" in caplog.text


async def test_an_object_that_cannot_be_read_is_asked_for_once(
    api: ScriptedApi, rig: Rig, comparison: WatchComparison[Unstructured]
) -> None:
    api.swallowing = True
    api.put("things", "odd", spec="unparsable")
    api.swallowing = False
    assert await comparison.compare() == 0
    before = len(api.seen)
    assert await comparison.compare() == 0
    assert len(api.seen) == before + 1
    assert rig.store.get("odd", "default") is None


async def test_an_object_of_another_controller_is_not_missed(
    api: ScriptedApi, client: KubeClient, clock: ManualClock
) -> None:
    api.put("things", "ours")
    api.put("things", "theirs")
    things = dataclasses.replace(THINGS, is_ours=lambda obj: obj.metadata.name == "ours")
    store = Store(things)
    async with Reflector(client, store, clock=clock, sleep=clock.sleep) as reflector:
        await reflector.synced.wait()
        naps = len(clock.naps)
        assert await WatchComparison(client, store, sleep=clock.sleep).compare() == 0
        assert len(clock.naps) == naps, "there was nothing to wait for"


async def test_before_the_first_list_nothing_is_compared(api: ScriptedApi, client: KubeClient) -> None:
    api.put("things", "a")
    assert await WatchComparison(client, Store(THINGS)).compare() == 0
    assert api.seen == []


async def test_it_goes_on_by_itself_whatever_the_api_answers(
    api: ScriptedApi, rig: Rig, client: KubeClient, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await lose_events(api, rig)
    api.fail("list", Fault(403))
    naps: list[float] = []

    async def nap(seconds: float) -> None:
        naps.append(seconds)
        await asyncio.sleep(0)

    monkeypatch.setattr(module, "INTERVAL_SECONDS", 100.0)
    async with WatchComparison(client, rig.store, sleep=nap, chance=lambda: 0.0):
        await rig.agree()
    assert naps[:3] == [80, 80, module.GRACE_SECONDS]
