"""The line that tells why."""

from __future__ import annotations

import pytest

from anka_operator.scheduler.reasons import single, summary


@pytest.mark.parametrize(
    ("total", "obstacles", "wanted"),
    [
        (3, {"full": 2, "draining": 1}, "0/3 nodes fit: 2 full, 1 draining"),
        (3, {"draining": 1, "offline": 1, "full": 1}, "0/3 nodes fit: 1 draining, 1 full, 1 offline"),
        (1, {"not arm64": 1}, "0/1 node fit: 1 not arm64"),
        (0, {}, "There are no nodes yet"),
    ],
)
def test_summary(total: int, obstacles: dict[str, int], wanted: str) -> None:
    assert summary(total, obstacles) == wanted


def test_single() -> None:
    assert single("mac-1", "full") == "Node mac-1 is full"
