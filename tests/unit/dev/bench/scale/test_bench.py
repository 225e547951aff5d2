"""Growth from size to size."""

from __future__ import annotations

import pytest

from anka_dev.bench.figures import Figure
from anka_dev.bench.scale.bench import slopes


def test_each_figure_of_all_sizes_has_its_exponent() -> None:
    figures = [
        Figure("rest.list", 5),
        Figure("scale10.linear", 20),
        Figure("scale10.flat", 3),
        Figure("scale10.zero", 0),
        Figure("scale10.once", 1),
        Figure("scale100.linear", 200),
        Figure("scale100.flat", 3),
        Figure("scale100.zero", 4),
    ]
    assert slopes(figures, [10, 100]) == {"linear": pytest.approx(1), "flat": pytest.approx(0)}


@pytest.mark.parametrize("sizes", [[], [10], [10, 10]])
def test_one_size_has_no_growth(sizes: list[int]) -> None:
    assert slopes([Figure("scale10.a", 1)], sizes) == {}
