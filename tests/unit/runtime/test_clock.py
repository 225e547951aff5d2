from __future__ import annotations

from datetime import timedelta

from anka_runtime.clock import Clock, SystemClock


def test_system_clock_is_aware_and_monotonic() -> None:
    clock: Clock = SystemClock()
    assert clock.now().utcoffset() == timedelta(0)
    first = clock.monotonic()
    assert clock.monotonic() >= first
