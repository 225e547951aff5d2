"""Sizes of clouds."""

from __future__ import annotations

import pytest

from anka_dev.bench.scale.size import make_size


@pytest.mark.parametrize(
    ("macs", "running", "waiting", "groups", "templates", "processes"),
    [(4, 8, 40, 4, 40, 2), (100, 200, 1000, 50, 200, 2), (300, 600, 3000, 50, 200, 2), (1000, 2000, 10000, 50, 200, 4)],
)
def test_what_a_cloud_has(macs: int, running: int, waiting: int, groups: int, templates: int, processes: int) -> None:
    size = make_size(macs)
    assert (size.running, size.waiting) == (running, waiting)
    assert (size.population.groups, size.population.templates) == (groups, templates)
    assert size.processes == processes
    # All processes together.
    assert size.processes / size.join_gap_seconds == pytest.approx(20)


@pytest.mark.parametrize(
    ("macs", "asked", "times"),
    [
        (100, (None, None), (30, 20)),
        (1000, (None, None), (300, 120)),
        (1000, (60.0, 30.0), (60, 30)),
        (100, (0.0, 0.0), (0, 0)),
    ],
)
def test_a_full_cloud_is_watched_for_longer(
    macs: int, asked: tuple[float | None, float | None], times: tuple[float, float]
) -> None:
    size = make_size(macs, *asked)
    assert (size.idle_seconds, size.down_seconds) == times
