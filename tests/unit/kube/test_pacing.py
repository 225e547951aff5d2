"""How many ask at once after the API was away: simulated agents, with a clock and chances of the test."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anka_kube.pacing import RELIST_SECONDS, PromptPace, SpreadPace, TurnWindow
from anka_runtime.backoff import Backoff

MACS = 1000


def knocks(window: float, away: float, seed: int, count: int = MACS) -> list[float]:
    """When each of `count` reflectors gets its stream back, if all were cut at 0 and the API was away so long. What
    is refused before costs the API nothing."""
    rng = random.Random(seed)
    back = []
    for _ in range(count):
        pace = SpreadPace(TurnWindow(lambda: window), rng.random)
        now = pace.after_error()
        while now < away:
            now += pace.after_error()
        back.append(now)
    return back


def peak(moments: list[float]) -> int:
    """Most of them within a second."""
    ordered, start, most = sorted(moments), 0, 0
    for end, moment in enumerate(ordered):
        while ordered[start] <= moment - 1:
            start += 1
        most = max(most, end - start + 1)
    return most


@given(st.floats(0.1, 300), st.floats(5, 120), st.integers(0, 2**32))
def test_all_are_back_within_one_window_and_spread_over_it(away: float, window: float, seed: int) -> None:
    back = knocks(window, away, seed)
    assert max(back) <= max(away, 0) + window + 1e-6
    mean = MACS / window
    assert peak(back) <= mean + 6 * mean**0.5 + 3


def test_it_would_show_a_herd() -> None:
    """The same measure over what reflectors did before: growing delays with a cap of 5 s."""
    rng = random.Random(1)
    back = []
    for _ in range(MACS):
        pace = PromptPace(Backoff(), rng.random)
        now = pace.after_error()
        while now < 60:
            now += pace.after_error()
        back.append(now)
    assert peak(back) > 250


@given(st.lists(st.booleans(), min_size=30, max_size=30), st.integers(0, 2**32))
def test_in_trouble_of_any_kind_it_asks_once_in_a_window(lists: list[bool], seed: int) -> None:
    pace = SpreadPace(TurnWindow(lambda: 10.0), random.Random(seed).random)
    now, seen = 0.0, Counter[int]()
    for needs_list in lists:
        now += pace.before_list(None) if needs_list else pace.after_error()
        seen[int(now // 10)] += 1
    assert max(seen.values()) <= 2, "the same moment of each window, which rounding may move over its edge"
    assert now == pytest.approx(now % 10 + 290, abs=10)


def test_after_progress_the_moment_is_drawn_anew() -> None:
    chances = iter([0.2, 0.7])
    pace = SpreadPace(TurnWindow(lambda: 10.0), lambda: next(chances))
    assert (pace.after_error(), pace.after_error()) == (2.0, 10.0)
    pace.reset()
    assert pace.before_list(None) == 7.0


def test_the_window_may_change() -> None:
    window = 10.0
    pace = SpreadPace(TurnWindow(lambda: window), lambda: 0.5)
    assert pace.after_error() == 5.0
    window = 40.0
    assert pace.after_error() == 40.0


@pytest.mark.parametrize("prompt", [True, False])
def test_after_a_stream_that_ended_early(prompt: bool) -> None:
    assert SpreadPace(TurnWindow(lambda: 10.0, prompt=prompt), lambda: 0.5).after_end() == (0.0 if prompt else 5.0)


def test_what_the_server_asks_for_comes_on_top() -> None:
    pace = SpreadPace(TurnWindow(lambda: 10.0), lambda: 0.5)
    assert pace.after_error(retry_after=3) == 8.0
    assert pace.before_list(3) == 13.0


def test_a_few_processes_come_back_soon() -> None:
    pace = PromptPace(Backoff(base=0.2), lambda: 0.5)
    assert pace.after_end() == 0.0
    assert pace.before_list(None) == RELIST_SECONDS * 0.5
    assert pace.before_list(None) == pytest.approx(0.3)
    assert pace.after_error() == pytest.approx(0.6)
    pace.reset()
    assert pace.after_error() == pytest.approx(0.15)
    pace.reset()
    assert pace.before_list(7.0) >= 7.0
