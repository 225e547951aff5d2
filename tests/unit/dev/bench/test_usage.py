"""CPU and memory of processes."""

from __future__ import annotations

import os
import time

from anka_dev.bench.usage import Meter


def test_cpu_and_memory_of_a_process_are_accounted() -> None:
    with Meter(lambda: {"me": os.getpid()}).measure() as usage:
        end = time.process_time() + 0.2
        while time.process_time() < end:
            pass
    assert 0.1 <= usage.cpu["me"] == usage.total_cpu
    assert usage.rss_mib["me"] == usage.total_rss_mib > 5
    assert usage.seconds >= usage.cpu["me"] * 0.5
