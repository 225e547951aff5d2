import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anka_crds.api import Condition
from anka_crds.api.conditions import ConditionType, InstanceReason, NodeReason
from anka_crds.api.limits import CONDITION_BYTES
from anka_crds.rules.condition_list import find, with_condition, with_health, without
from anka_crds.rules.lifecycle import Health
from support.conditions import is_true

T0 = datetime(2026, 1, 1, tzinfo=UTC)
T1 = T0 + timedelta(seconds=5)


def test_time_moves_only_when_the_status_flips() -> None:
    first = with_condition(
        [], ConditionType.SCHEDULED, "False", InstanceReason.UNSCHEDULABLE, "0/0 nodes", generation=1, now=T0
    )
    second = with_condition(
        first, ConditionType.SCHEDULED, "False", InstanceReason.UNSCHEDULABLE, "0/3 nodes fit", generation=2, now=T1
    )
    third = with_condition(
        second, ConditionType.SCHEDULED, "True", InstanceReason.SCHEDULED, "on mac-01", generation=2, now=T1
    )
    assert [c[0].last_transition_time for c in (first, second, third)] == [T0, T0, T1]
    assert second[0].message == "0/3 nodes fit"
    assert second[0].observed_generation == 2


def test_others_keep_their_place() -> None:
    conditions = with_condition([], ConditionType.SCHEDULED, "True", InstanceReason.SCHEDULED, "", generation=1, now=T0)
    conditions = with_condition(conditions, ConditionType.ALIVE, "True", NodeReason.HEARTBEAT, "", generation=1, now=T0)
    conditions = with_condition(
        conditions, ConditionType.SCHEDULED, "False", InstanceReason.NODE_LOST, "", generation=1, now=T1
    )
    assert [(c.type, c.status) for c in conditions] == [("Scheduled", "False"), ("Alive", "True")]


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
    old = with_health([], before, InstanceReason.STARTED, "", generation=1, now=T0)
    new = with_health(old, health, InstanceReason.PUSHING, "why", generation=2, now=T1)
    assert {c.type: c.status for c in new} == expected
    assert is_true(new, "Ready") is (health is Health.READY)


def test_summary_leaves_other_conditions() -> None:
    scheduled = with_condition([], ConditionType.SCHEDULED, "True", InstanceReason.SCHEDULED, "", generation=1, now=T0)
    assert (
        find(with_health(scheduled, Health.READY, InstanceReason.STARTED, "", generation=1, now=T1), "Scheduled")
        == scheduled[0]
    )
    assert find(without(scheduled, ConditionType.SCHEDULED), "Scheduled") is None


@given(st.lists(st.sampled_from(list(Health)), min_size=1, max_size=8))
def test_saying_the_same_again_changes_nothing(steps: list[Health]) -> None:
    conditions: list[Condition] = []
    for second, health in enumerate(steps):
        conditions = with_health(
            conditions, health, InstanceReason.STARTED, "m", generation=1, now=T0 + timedelta(seconds=second)
        )
    again = with_health(conditions, steps[-1], InstanceReason.STARTED, "m", generation=1, now=T0 + timedelta(days=1))
    assert again == conditions
    assert len({c.type for c in again}) == len(again)


@pytest.mark.parametrize(("unmet", "kind"), [(Health.PROGRESSING, "Reconciling"), (Health.FAILED, "Stalled")])
def test_what_works_but_is_not_what_was_asked_for(unmet: Health, kind: str) -> None:
    first = with_health(
        [], Health.READY, NodeReason.ACTIVE, "", generation=1, now=T0, unmet=(unmet, NodeReason.AGENT_UPDATE, "not yet")
    )
    assert {c.type: (c.status, c.reason) for c in first} == {"Ready": ("True", "Active"), kind: ("True", "AgentUpdate")}
    alive = with_condition(first, ConditionType.ALIVE, "True", NodeReason.HEARTBEAT, "", generation=1, now=T0)
    again = with_health(
        alive,
        Health.READY,
        NodeReason.ACTIVE,
        "",
        generation=1,
        now=T1,
        unmet=(unmet, NodeReason.AGENT_UPDATE, "not yet"),
    )
    assert again == alive
    assert [c.type for c in with_health(alive, Health.READY, NodeReason.ACTIVE, "", generation=1, now=T1)] == [
        "Ready",
        "Alive",
    ]


def test_a_message_has_the_bytes_at_most_that_a_condition_may_take() -> None:
    (found,) = with_condition(
        [], ConditionType.READY, "False", InstanceReason.FAILED, "\x01" * 20_000, generation=1, now=T0
    )
    assert CONDITION_BYTES - 10 < len(json.dumps(found.message, ensure_ascii=False).encode()) <= CONDITION_BYTES + 2
