"""Waits and binds of the last five minutes, as a watch tells of them."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from anka_crds.api import AnkaInstance
from anka_crds.resources import INSTANCES
from anka_kube.store import Store
from anka_shim.stats.answer import WINDOW_SECONDS
from anka_shim.stats.tracker import BindTracker
from support.manual_clock import ManualClock
from support.shim_rig import rig

START = datetime(2026, 1, 1, tzinfo=UTC)
_versions = itertools.count(1)


def instance(name: str, created: float, bound: float | None, rescheduled: float | None = None) -> AnkaInstance:
    """Times in seconds after START."""

    def at(seconds: float | None) -> str | None:
        return None if seconds is None else (START + timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")

    status = {"nodeName": "mac-1" if bound is not None else None, "scheduledAt": at(bound)}
    status["rescheduledAt"] = at(rescheduled)
    return AnkaInstance.model_validate(
        {
            "metadata": {
                "name": name,
                "namespace": "anka-ci",
                "uid": f"uid-{name}",
                "resourceVersion": str(next(_versions)),
                "creationTimestamp": at(created),
            },
            "spec": {"template": "t"},
            "status": {key: value for key, value in status.items() if value is not None},
        }
    )


def tracked() -> tuple[Store[AnkaInstance], ManualClock, BindTracker]:
    store: Store[AnkaInstance] = Store(INSTANCES)
    clock = ManualClock(START)
    return store, clock, BindTracker(store, clock)


def test_nothing_yet() -> None:
    _, _, binds = tracked()
    assert binds.summarize().model_dump() == {"average_queue_time": 0, "tasks_per_second": 0}


def test_a_bind_counts_once_and_for_five_minutes() -> None:
    store, clock, binds = tracked()
    clock.advance(100)
    store.observe(instance("a", 90, None))
    store.observe(instance("a", 90, 92))
    store.observe(instance("a", 90, 92))
    store.observe(instance("b", 90, 96))
    found = binds.summarize()
    assert (found.average_queue_time, found.tasks_per_second) == (4, round(2 / WINDOW_SECONDS, 3))
    clock.advance(WINDOW_SECONDS - 8)
    assert binds.summarize().average_queue_time == 6
    clock.advance(4)
    assert binds.summarize().average_queue_time == 0


def test_who_lost_a_node_waits_since_then() -> None:
    store, clock, binds = tracked()
    clock.advance(100)
    store.observe(instance("a", 0, 97, rescheduled=95))
    assert binds.summarize().average_queue_time == 2


def test_another_clock_is_ahead() -> None:
    store, _, binds = tracked()
    store.observe(instance("a", -5, 30))
    assert binds.summarize().average_queue_time == 35


def test_deleted_instances_still_count() -> None:
    store, _, binds = tracked()
    bound = instance("a", -5, -1)
    store.observe(bound)
    store.observe_deleted(("anka-ci", "a"), "uid-a", None)
    assert len(store) == 0
    assert binds.summarize().average_queue_time == 4


@given(st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 100)), max_size=60))
def test_as_counted_by_hand(seen: list[tuple[int, int]]) -> None:
    """Any binds in any order; and memory is bounded by the window."""
    store, clock, binds = tracked()
    clock.advance(2000)
    for number, (bound, waited) in enumerate(seen):
        store.observe(instance(str(number), bound - waited, bound))
    recent = [waited for bound, waited in seen if bound > 2000 - WINDOW_SECONDS]
    found = binds.summarize()
    assert found.tasks_per_second == round(len(recent) / WINDOW_SECONDS, 3)
    assert found.average_queue_time == (round(sum(recent) / len(recent), 3) if recent else 0)
    assert len(binds._binds) <= WINDOW_SECONDS


async def test_rest() -> None:
    async with rig() as shim:
        assert await shim.body("GET", "/api/v1/stats") == {"average_queue_time": 0, "tasks_per_second": 0}
