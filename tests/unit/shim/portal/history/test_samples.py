"""Samples make room for newer ones."""

from __future__ import annotations

from anka_shim.portal.history.samples import MOST_SAMPLES, Sample, SampleMemory, UsageMemory


def test_series() -> None:
    ring = SampleMemory()
    for number in range(MOST_SAMPLES + 3):
        ring.add(Sample(number, 1, 2, 3, 4, 5, 6))
    series = ring.to_series()
    assert set(series) == {"t", "running", "waiting", "capacity", "oldestWait", "started", "failed"}
    assert series["t"] == list(range(3, MOST_SAMPLES + 3))
    assert {len(values) for values in series.values()} == {MOST_SAMPLES}


def test_usages() -> None:
    rings = UsageMemory(2)
    for second in range(3):
        rings.add("mac-1", (second, 0, 0, 0))
    assert [row[0] for row in rings.of_node("mac-1")] == [1, 2]
    rings.forget_node("mac-1")
    assert rings.of_node("mac-1") == []
