"""The time of the API, whatever this machine's clock says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anka_kube.api_clock import ApiClock
from support.manual_clock import ManualClock

START = datetime(2026, 1, 1, tzinfo=UTC)


class WrongClock(ManualClock):
    """Its time of day is off, its seconds are as long as others'."""

    off = 0.0

    def now(self) -> datetime:
        return super().now() + timedelta(seconds=self.off)


def date(moment: datetime) -> str:
    return format_datetime(moment.replace(microsecond=0), usegmt=True)


@pytest.mark.parametrize("off", [-7200, -240, -3, 3, 720, 86_400 * 365])
def test_one_answer_is_enough(off: float) -> None:
    own = WrongClock()
    own.off = off
    clock = ApiClock(own)
    assert clock.now() == own.now(), "nothing better is known yet"
    clock.learn(date(START), sent=0.0, received=0.0)
    assert abs(clock.now() - START) <= timedelta(seconds=1)
    assert abs(clock.ahead_seconds - off) <= 1


def test_a_clock_that_is_right_stays_as_it_is() -> None:
    own = ManualClock()
    clock = ApiClock(own)
    for _ in range(50):
        sent = own.monotonic()
        own.advance(0.02)
        clock.learn(date(own.now()), sent, own.monotonic())
        own.advance(0.35)
        assert abs((clock.now() - own.now()).total_seconds()) < 1e-5
    assert abs(clock.ahead_seconds) < 1e-5


def test_a_clock_that_is_set_moves_nothing() -> None:
    own = WrongClock()
    own.off = -240
    clock = ApiClock(own)
    clock.learn(date(START), 0.0, 0.0)
    before = clock.now()
    own.off = 0
    assert clock.now() == before


@given(
    off=st.floats(-1e6, 1e6),
    steps=st.lists(st.tuples(st.floats(0, 5), st.floats(0, 20)), min_size=1, max_size=30),
)
def test_never_off_by_more_than_a_second_and_the_way(off: float, steps: list[tuple[float, float]]) -> None:
    own = WrongClock()
    own.off = off
    clock, before = ApiClock(own), None
    for way, pause in steps:
        sent = own.monotonic()
        own.advance(way / 2)
        answered = date(START + timedelta(seconds=own.monotonic()))
        own.advance(way / 2)
        clock.learn(answered, sent, own.monotonic())
        truth = START + timedelta(seconds=own.monotonic())
        error = abs((clock.now() - truth).total_seconds())
        assert error <= 1.001 + way
        if before is not None:
            assert error <= max(before, 1.001 + way), "more answers make it better, never worse"
        before = error
        own.advance(pause)


@pytest.mark.parametrize("header", [None, "", "yesterday", "Thu, 99 Foo 2026 00:00:00 GMT"])
def test_an_answer_without_a_usable_date_says_nothing(header: str | None) -> None:
    own = ManualClock()
    clock = ApiClock(own)
    clock.learn(header, 0.0, 0.0)
    assert clock.now() == own.now()
