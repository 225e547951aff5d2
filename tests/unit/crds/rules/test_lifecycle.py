import pytest

from anka_crds.api import Phase
from anka_crds.rules.lifecycle import FINISHED, HEALTH, TRANSITIONS, Health, can_follow, holds_slot


def test_every_phase_is_in_both_tables() -> None:
    assert set(TRANSITIONS) == set(Phase)
    assert set(HEALTH) == set(Phase)


def test_every_phase_can_be_reached_and_ends_in_terminated() -> None:
    reached = {Phase.SCHEDULING}
    while more := {after for before in reached for after in TRANSITIONS[before]} - reached:
        reached |= more
    assert reached == set(Phase)

    ends = {Phase.TERMINATED}
    while more := {before for before in Phase if TRANSITIONS[before] & ends} - ends:
        ends |= more
    assert ends == set(Phase)


# What clients accept during a start: docs/reference/legacy-api.md#closed-states.
@pytest.mark.parametrize(
    ("before", "after", "allowed"),
    [
        (Phase.SCHEDULING, Phase.PULLING, True),
        (Phase.SCHEDULING, Phase.STARTED, True),
        (Phase.PULLING, Phase.SCHEDULING, True),
        (Phase.PULLING, Phase.STARTED, True),
        (Phase.PULLING, Phase.STOPPING, False),
        (Phase.SCHEDULING, Phase.PUSHING, False),
        (Phase.STARTED, Phase.PUSHING, True),
        (Phase.STARTED, Phase.PULLING, False),
        (Phase.ERROR, Phase.STARTED, False),
        (Phase.ERROR, Phase.TERMINATING, True),
        (Phase.TERMINATED, Phase.SCHEDULING, False),
        (Phase.TERMINATED, Phase.TERMINATED, True),
    ],
)
def test_transitions(before: Phase, after: Phase, allowed: bool) -> None:
    assert can_follow(before, after) is allowed


@pytest.mark.parametrize(
    ("phase", "vm_status", "held"),
    [
        (Phase.SCHEDULING, None, True),
        (Phase.PULLING, None, True),
        (Phase.STARTED, "running", True),
        (Phase.STOPPING, "running", True),
        (Phase.PUSHING, "suspended", True),
        (Phase.ERROR, None, False),
        (Phase.ERROR, "stopped", False),
        (Phase.ERROR, "running", True),
        (Phase.STOPPED, "stopped", False),
    ],
)
def test_who_takes_room_on_a_node(phase: Phase, vm_status: str | None, held: bool) -> None:
    assert holds_slot(phase, vm_status) is held


def test_only_started_is_ready_and_what_failed_is_finished() -> None:
    assert [phase for phase in Phase if HEALTH[phase] is Health.READY] == [Phase.STARTED]
    assert {phase for phase in Phase if HEALTH[phase] is Health.FAILED} == FINISHED
