from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from anka_runtime.backoff import Backoff, Delays


@given(st.integers(0, 100_000), st.floats(0, 1, exclude_max=True))
def test_delays_stay_between_half_the_base_and_the_cap(attempt: int, chance: float) -> None:
    assert 0.1 <= Backoff(base=0.2, cap=5).delay(attempt, chance) <= 5


def test_delays_grow_to_the_cap_and_start_again_after_a_reset() -> None:
    delays = Delays(Backoff(base=1, cap=8), lambda: 1.0)
    assert [delays.next() for _ in range(6)] == [1, 2, 4, 8, 8, 8]
    delays.reset()
    assert delays.next() == 1


def test_randomness_spreads_clients_over_half_of_each_delay() -> None:
    backoff = Backoff(base=1, cap=8)
    assert (backoff.delay(2, 0.0), backoff.delay(2, 0.5)) == (2, 3)


@given(st.integers(0, 50), st.floats(0, 1, exclude_max=True), st.floats(0.1, 1000))
def test_retry_after_is_never_undercut(attempt: int, chance: float, asked: float) -> None:
    delay = Backoff(base=0.2, cap=5).delay(attempt, chance, asked)
    assert asked < delay <= asked + 0.2
