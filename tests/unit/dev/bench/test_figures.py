from __future__ import annotations

import math

import pytest

from anka_dev.bench.figures import Figure, Figures, PeerFigure, percentile, slope


@pytest.mark.parametrize(
    ("figure", "ratio"),
    [
        (Figure("a", 200, better="more"), 2.0),
        (Figure("a", 200, better="less"), 0.5),
        (Figure("a", 0, better="less"), math.inf),
        (Figure("a", 200), None),
    ],
)
def test_a_ratio_above_one_is_ahead_whichever_way_is_good(figure: Figure, ratio: float | None) -> None:
    assert figure.ratio_to(PeerFigure("p", 100)) == ratio


@pytest.mark.parametrize(
    ("figure", "is_met"),
    [
        (Figure("a", 5, better="more", goal=5), True),
        (Figure("a", 4, better="more", goal=5), False),
        (Figure("a", 5, better="less", goal=5), True),
        (Figure("a", 6, better="less", goal=5), False),
        (Figure("a", 6, better="less"), None),
    ],
)
def test_goals(figure: Figure, is_met: bool | None) -> None:
    assert figure.is_met is is_met


def test_figures_are_one_flat_map_in_order() -> None:
    figures = Figures()
    figures.put(Figure("b", 1.5))
    figures.put(Figure("a", 2))
    assert list(figures.flat().items()) == [("b", 1.5), ("a", 2)]
    assert figures["a"] == 2


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_what_json_cannot_say_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="a is"):
        Figures().put(Figure("a", value))


def test_a_name_is_measured_once() -> None:
    figures = Figures()
    figures.put(Figure("a", 1))
    with pytest.raises(ValueError, match="a was measured twice"):
        figures.put(Figure("a", 1))


@pytest.mark.parametrize(
    ("values", "percent", "found"),
    [
        ([7.0], 50, 7.0),
        ([3.0, 1.0, 2.0], 50, 2.0),
        (list(range(1, 101)), 99, 99),
        (list(range(1, 101)), 100, 100),
        (list(range(1, 11)), 99, 10),
        ([1.0, 2.0], 0, 1.0),
    ],
)
def test_percentiles_are_values_that_were_measured(values: list[float], percent: float, found: float) -> None:
    assert percentile(values, percent) == found


def test_no_values_have_no_percentile() -> None:
    with pytest.raises(ValueError, match="no values"):
        percentile([], 50)


@pytest.mark.parametrize(("power", "sizes"), [(0.0, (10, 100, 1000)), (1.0, (10, 100)), (2.0, (3, 7, 11))])
def test_the_slope_is_the_exponent_of_growth(power: float, sizes: tuple[int, ...]) -> None:
    assert slope([(size, 5 * size**power) for size in sizes]) == pytest.approx(power)


@pytest.mark.parametrize("points", [[], [(10.0, 1.0)], [(10.0, 1.0), (10.0, 2.0)]])
def test_one_size_has_no_slope(points: list[tuple[float, float]]) -> None:
    with pytest.raises(ValueError, match="two different sizes"):
        slope(points)
