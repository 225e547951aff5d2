from __future__ import annotations

import pytest

from anka_dev.bench.figures import Figure, PeerFigure
from anka_dev.bench.table import number, table


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (1108981, "1,108,981"), (-0.0167, "-0.0167"), (3.14159, "3.14"), (1234.5, "1,234"), (250.0, "250")],
)
def test_numbers(value: float, text: str) -> None:
    assert number(value) == text


def test_columns_line_up_and_say_what_is_beside() -> None:
    lines = table(
        [
            Figure("rest.list", 207.4, "1/s", "more", 38, [PeerFigure("Orchard", 38), PeerFigure("raw", 414.8)]),
            Figure("rest.post_p99_ms", 2221, "ms", "less", 250),
            Figure("rest.bytes", 5, "B"),
        ]
    ).splitlines()
    assert lines == [
        "figure            value  unit  goal          beside it   ratio",
        "rest.list           207  1/s   ≥ 38 met      Orchard 38  5.46×",
        "                                             raw 415     0.50×",
        "rest.post_p99_ms  2,221  ms    ≤ 250 MISSED",
        "rest.bytes            5  B",
    ]
