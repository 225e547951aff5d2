"""Figures that sum up many."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from anka_shim.portal.history.quantiles import quantile, summarize

_VALUES = st.lists(st.floats(0, 1e6), min_size=1, max_size=50)


@given(_VALUES, st.floats(0, 1))
def test_a_quantile_is_one_of_the_values_with_so_many_below(values: list[float], fraction: float) -> None:
    values.sort()
    found = quantile(values, fraction)
    assert found in values
    assert sum(value <= found for value in values) >= fraction * len(values) - 1e-9
    assert sum(value < found for value in values) <= fraction * len(values) + 1e-9


@given(_VALUES)
def test_the_summary(values: list[float]) -> None:
    found = summarize(values)
    assert found["n"] == len(values)
    assert min(values) - 0.001 <= found["p50"] <= found["p95"] <= max(values) + 0.001


def test_nothing() -> None:
    assert summarize([]) == {"n": 0}
    assert summarize([3.0, 1.0, 2.0]) == {"p50": 2.0, "p95": 3.0, "n": 3}
