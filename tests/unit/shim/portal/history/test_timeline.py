"""The steps of a start."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from anka_crds.api import AnkaInstance
from anka_shim.portal.history.timeline import STEP_NAMES, PullRecord, StartStep, find_medians, list_steps
from support.objects import START, instance


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def started(
    *, bound: float | None = 2, made: float | None = 5, ran: float | None = 6, ready: float | None = 9, **more: Any
) -> AnkaInstance:
    times = {"scheduledAt": bound, "startedAt": ready}
    vm = {"uuid": "u", "name": "n", "status": "running"}
    vm |= {key: at(time).isoformat() for key, time in (("creationDate", made), ("startDate", ran)) if time is not None}
    status: dict[str, Any] = {key: at(time).isoformat() for key, time in times.items() if time is not None}
    return instance(status={**status, "vm": vm, **more.pop("status", {})}, **more)


def shown(steps: list[StartStep]) -> list[tuple[str, float, float | None]]:
    return [
        (step.name, (step.begin - START).total_seconds(), None if step.end is None else step.seconds(at(100)))
        for step in steps
    ]


def test_all_steps() -> None:
    one = started()
    expected = [("wait", 0, 2), ("clone", 2, 3), ("start", 5, 1), ("network", 6, 3)]
    assert shown(list_steps(one, PullRecord(False))) == expected
    assert [step.is_seen for step in list_steps(one)] == [True, False, True, True]
    pulled = list_steps(one, PullRecord(True))
    assert [step.name for step in pulled] == ["wait", "pull", "start", "network"]
    assert all(step.is_seen for step in pulled)
    told = list_steps(one, PullRecord(True, at(4)))
    assert shown(told)[1:3] == [("pull", 2, 2), ("clone", 4, 1)]


def test_a_monitored_script_is_the_last_step() -> None:
    one = started(startupScript={"content": "bHM=", "monitoring": True})
    assert list_steps(one)[-1].name == "script"


def test_what_lasts() -> None:
    assert shown(list_steps(instance())) == [("wait", 0, None)]
    waiting = list_steps(instance())
    assert waiting[0].seconds(at(7)) == 7
    bound = started(made=None, ran=None, ready=None)
    assert shown(list_steps(bound, PullRecord(True))) == [("wait", 0, 2), ("pull", 2, None)]


def test_who_lost_a_node_waits_since_then() -> None:
    moved = started(status={"rescheduledAt": at(1).isoformat()})
    assert shown(list_steps(moved))[0] == ("wait", 1, 1)


def test_what_failed_ends_there() -> None:
    failed = started(made=None, ran=None, ready=None, status={"phase": "Error", "finishedAt": at(8).isoformat()})
    assert shown(list_steps(failed, PullRecord(False))) == [("wait", 0, 2), ("clone", 2, 6)]
    never = started(bound=None, made=None, ran=None, ready=None, status={"finishedAt": at(8).isoformat()})
    assert shown(list_steps(never)) == [("wait", 0, 8)]


def test_what_is_not_reported_is_in_the_next_step() -> None:
    assert shown(list_steps(started(made=None), PullRecord(False)))[1] == ("start", 2, 4)
    restarted = list_steps(started(ran=50), PullRecord(False))
    assert shown(restarted) == [("wait", 0, 2), ("clone", 2, 3), ("network", 5, 4)]


_TIME = st.none() | st.floats(-50, 50)


@given(_TIME, _TIME, _TIME, _TIME, _TIME, st.none() | st.booleans(), _TIME)
def test_steps_join_whatever_the_clocks_say(
    bound: float | None, made: float | None, ran: float | None, ready: float | None, finished: float | None,
    needed: bool | None, ended: float | None,
) -> None:  # fmt: skip
    status = {} if finished is None else {"finishedAt": at(finished).isoformat()}
    one = started(bound=bound, made=made, ran=ran, ready=ready, status=status)
    steps = list_steps(one, PullRecord(needed, None if ended is None else at(ended)))
    names = [step.name for step in steps]
    assert names
    assert names == [name for name in STEP_NAMES if name in names]
    assert steps[0].begin == START
    for before, after in pairwise(steps):
        assert before.end == after.begin
    for step in steps:
        assert step.end is None or step.end >= step.begin
        assert step.seconds(at(0)) >= 0
    if one.status.started_at is not None or one.status.finished_at is not None:
        assert steps[-1].end is not None


def test_medians() -> None:
    starts = [list_steps(started(bound=wait), PullRecord(False)) for wait in (1, 2, 4)]
    assert find_medians(starts) == {"wait": 2, "clone": 3, "start": 1, "network": 3}
    assert find_medians([]) == {}
