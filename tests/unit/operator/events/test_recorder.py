"""Events: told once, or counted up."""

from __future__ import annotations

import pytest
from prometheus_client import REGISTRY

from anka_operator.events.event import Event, failure_event, wait_event
from anka_operator.events.recorder import CACHED_EVENTS, EventRecorder
from support.objects import START, instance
from support.operator_rig import Rig
from support.scripted_api import Fault


def full(rig: Rig, words: str = "0/1 node fit: 1 full", name: str = "one") -> Event:
    return wait_event(instance(name), words, now=rig.clock.now(), reporter="operator-1")


def sad(rig: Rig) -> Event:
    status = {"phase": "Error", "message": "broken", "finishedAt": START.isoformat()}
    return failure_event(instance(status=status), now=rig.clock.now(), reporter="operator-1")


async def test_what_happens_again_counts_up_and_says_the_newest(rig: Rig) -> None:
    await rig.recorder.post_or_count(full(rig))
    rig.clock.advance(60)
    await rig.recorder.post_or_count(full(rig, "0/2 nodes fit: 2 full"))
    assert rig.events() == [("Warning", "FailedScheduling", "0/2 nodes fit: 2 full", 2)]
    assert [seen.verb for seen in rig.api.seen] == ["create", "patch"]
    (event,) = rig.api.objects["events"].values()
    assert (event["firstTimestamp"], event["lastTimestamp"]) == ("2026-01-01T00:00:00Z", "2026-01-01T00:01:00Z")


async def test_another_process_goes_on_counting(rig: Rig) -> None:
    await rig.recorder.post_or_count(full(rig))
    rig.clock.advance(60)
    await EventRecorder(rig.cluster, rig.clock, identity="operator-2").post_or_count(full(rig))
    assert [count for *_, count in rig.events()] == [2]


async def test_one_that_has_expired_begins_anew(rig: Rig) -> None:
    await rig.recorder.post_or_count(full(rig))
    rig.api.objects["events"].clear()
    rig.clock.advance(4000)
    await rig.recorder.post_or_count(full(rig))
    assert [count for *_, count in rig.events()] == [1]
    rig.clock.advance(60)
    await rig.recorder.post_or_count(full(rig))
    assert [count for *_, count in rig.events()] == [2]


async def test_what_happened_once_is_told_once(rig: Rig) -> None:
    for recorder in (rig.recorder, EventRecorder(rig.cluster, rig.clock, identity="operator-2")):
        await recorder.post_once(sad(rig))
    assert rig.events() == [("Warning", "Failed", "broken", 1)]
    assert [seen.verb for seen in rig.api.seen] == ["create", "create"]


async def test_one_that_cannot_be_written_holds_nothing_up(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    failures = REGISTRY.get_sample_value("anka_operator_event_failures_total") or 0
    rig.api.fail("create", Fault(403, "Forbidden"), times=2)
    await rig.recorder.post_or_count(full(rig))
    await rig.recorder.post_once(sad(rig))
    assert rig.events() == []
    assert len([record for record in caplog.records if "event not posted" in record.getMessage()]) == 2
    assert REGISTRY.get_sample_value("anka_operator_event_failures_total") == failures + 2


async def test_written_ones_are_counted_by_reason(rig: Rig) -> None:
    labels = {"type": "Warning", "reason": "FailedScheduling"}
    before = REGISTRY.get_sample_value("anka_operator_events_total", labels) or 0
    await rig.recorder.post_or_count(full(rig))
    rig.clock.advance(60)
    await rig.recorder.post_or_count(full(rig))
    assert REGISTRY.get_sample_value("anka_operator_events_total", labels) == before + 2


async def test_its_memory_is_bounded(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    assert CACHED_EVENTS >= 1000
    monkeypatch.setattr("anka_operator.events.recorder.CACHED_EVENTS", 2)
    for name in ("a", "b", "c"):
        await rig.recorder.post_or_count(full(rig, name=name))
    assert len(rig.recorder._posted) == 2
    rig.clock.advance(60)
    await rig.recorder.post_or_count(full(rig, name="a"))
    assert sorted(count for *_, count in rig.events()) == [1, 1, 2]
