from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anka_crds.api import Condition
from anka_crds.core.conditions import find, is_true, summarised, with_condition, without
from anka_crds.core.lifecycle import Health

T0 = datetime(2026, 1, 1, tzinfo=UTC)
T1 = T0 + timedelta(seconds=5)


def test_time_moves_only_when_the_status_flips() -> None:
    first = with_condition([], "Scheduled", "False", "Unschedulable", "0/0 nodes", generation=1, now=T0)
    second = with_condition(first, "Scheduled", "False", "Unschedulable", "0/3 nodes fit", generation=2, now=T1)
    third = with_condition(second, "Scheduled", "True", "Scheduled", "on mac-01", generation=2, now=T1)
    assert [c[0].last_transition_time for c in (first, second, third)] == [T0, T0, T1]
    assert second[0].message == "0/3 nodes fit"
    assert second[0].observed_generation == 2


def test_others_keep_their_place() -> None:
    conditions = with_condition([], "A", "True", "X", "", generation=1, now=T0)
    conditions = with_condition(conditions, "B", "True", "X", "", generation=1, now=T0)
    conditions = with_condition(conditions, "A", "False", "Y", "", generation=1, now=T1)
    assert [(c.type, c.status) for c in conditions] == [("A", "False"), ("B", "True")]


@pytest.mark.parametrize(
    ("health", "expected"),
    [
        (Health.READY, {"Ready": "True"}),
        (Health.PROGRESSING, {"Ready": "False", "Reconciling": "True"}),
        (Health.FAILED, {"Ready": "False", "Stalled": "True"}),
    ],
)
@pytest.mark.parametrize("before", list(Health))
def test_summary_means_the_same_whatever_was_before(before: Health, health: Health, expected: dict[str, str]) -> None:
    old = summarised([], before, "Before", "", generation=1, now=T0)
    new = summarised(old, health, "After", "why", generation=2, now=T1)
    assert {c.type: c.status for c in new} == expected
    assert is_true(new, "Ready") is (health is Health.READY)


def test_summary_leaves_other_conditions() -> None:
    scheduled = with_condition([], "Scheduled", "True", "Scheduled", "", generation=1, now=T0)
    assert find(summarised(scheduled, Health.READY, "Started", "", generation=1, now=T1), "Scheduled") == scheduled[0]
    assert find(without(scheduled, "Scheduled"), "Scheduled") is None


@given(st.lists(st.sampled_from(list(Health)), min_size=1, max_size=8))
def test_saying_the_same_again_changes_nothing(steps: list[Health]) -> None:
    conditions: list[Condition] = []
    for second, health in enumerate(steps):
        conditions = summarised(conditions, health, "R", "m", generation=1, now=T0 + timedelta(seconds=second))
    again = summarised(conditions, steps[-1], "R", "m", generation=1, now=T0 + timedelta(days=1))
    assert again == conditions
    assert len({c.type for c in again}) == len(again)


@pytest.mark.parametrize(("but", "kind"), [(Health.PROGRESSING, "Reconciling"), (Health.FAILED, "Stalled")])
def test_what_works_but_is_not_what_was_asked_for(but: Health, kind: str) -> None:
    first = summarised([], Health.READY, "Active", "", generation=1, now=T0, but=(but, "Update", "not yet"))
    assert {c.type: (c.status, c.reason) for c in first} == {"Ready": ("True", "Active"), kind: ("True", "Update")}
    alive = with_condition(first, "Alive", "True", "Heartbeat", "", generation=1, now=T0)
    again = summarised(alive, Health.READY, "Active", "", generation=1, now=T1, but=(but, "Update", "not yet"))
    assert again == alive
    assert [c.type for c in summarised(alive, Health.READY, "Active", "", generation=1, now=T1)] == ["Ready", "Alive"]
