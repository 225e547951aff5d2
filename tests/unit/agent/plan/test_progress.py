from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anka_agent.plan.progress import LEAST_POINTS, LEAST_SECONDS, LOOK_SECONDS, MOST_SECONDS, is_report_due


@pytest.mark.parametrize(
    ("reported", "percent", "seconds", "due"),
    [
        (None, 0, 5, True),
        (None, 40, 5, True),
        (40, 40, 1000, False),
        (40, 50, 14.9, False),
        (40, 50, 15, True),
        (40, 49, 59.9, False),
        (40, 41, 60, True),
        (40, 0, 15, True),
        (0, 100, 15, True),
    ],
)
def test_when(reported: int | None, percent: int, seconds: float, due: bool) -> None:
    assert is_report_due(reported, percent, seconds) is due


def reports(duration: float) -> list[tuple[float, int]]:
    """Of a steady pull: when, and what."""
    told: list[tuple[float, int]] = []
    now = LOOK_SECONDS
    while now < duration:
        percent = int(100 * now / duration)
        reported, since = (told[-1][1], now - told[-1][0]) if told else (None, now)
        if is_report_due(reported, percent, since):
            told.append((now, percent))
        now += LOOK_SECONDS
    return told


@given(st.floats(1, 4 * 3600))
def test_a_pull_is_a_few_writes_and_never_looks_dead(duration: float) -> None:
    told = reports(duration)
    by_points, by_time = 100 / LEAST_POINTS, duration / MOST_SECONDS
    assert len(told) <= 2 + min(duration / LEAST_SECONDS, max(by_points, by_time))
    moments = [at for at, _ in told]
    assert bool(told) is (duration > LOOK_SECONDS)
    # The operator takes one that has not changed for ten minutes for stuck: STUCK_SECONDS.
    longest = max(MOST_SECONDS, duration / 100) + LOOK_SECONDS
    assert all(later - sooner <= longest for sooner, later in zip([0, *moments], moments, strict=False))


def test_a_pull_of_two_minutes() -> None:
    assert len(reports(120)) == 8
