"""What processes cost: CPU seconds and resident memory, as the operating system accounts them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import psutil

MIB = 1 << 20

Pids = Callable[[], Mapping[str, int]]
"""Process ids of the running processes, by their roles."""


@dataclass
class ProcessUsage:
    """CPU and memory over a period; filled in when the block of `Meter.measure` ends."""

    seconds: float = 0.0
    cpu: dict[str, float] = field(default_factory=dict)
    """CPU seconds, user and system, by role."""
    rss_mib: dict[str, float] = field(default_factory=dict)
    """Resident memory at the end, by role."""

    @property
    def total_cpu(self) -> float:
        return sum(self.cpu.values())

    @property
    def total_rss_mib(self) -> float:
        return sum(self.rss_mib.values())


class Meter:
    """Measures processes that run as long as the measurement does."""

    def __init__(self, pids: Pids) -> None:
        self._pids = pids

    @contextmanager
    def measure(self) -> Iterator[ProcessUsage]:
        usage = ProcessUsage()
        processes = {role: psutil.Process(pid) for role, pid in self._pids().items()}
        before = {role: _cpu(process) for role, process in processes.items()}
        started = time.perf_counter()
        yield usage
        usage.seconds = time.perf_counter() - started
        for role, process in processes.items():
            usage.cpu[role] = _cpu(process) - before[role]
            usage.rss_mib[role] = process.memory_info().rss / MIB


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)
