"""Decisions a second, and how the time of one grows with the fleet and with the queue."""

from __future__ import annotations

import gc
import statistics
import time

from anka_dev.bench.bench import Bench
from anka_dev.bench.figures import slope
from anka_dev.bench.sched.pending import PendingInstances

_NODES = (100, 1000, 5000)
_PENDING = (1000, 10_000, 50_000)
_MAIN = (1000, 10_000)
_RUNS = 3
_ROUND = 32
"""Bindings of one round of the operator, which then waits for the first of its writes."""


def run(bench: Bench) -> None:
    """All `sched.pure` figures. Every instance gets a node: a decision is a binding."""
    taken: dict[tuple[int, int], float] = {}
    for nodes in _NODES:
        for pending in _PENDING:
            runs = 1 if pending == max(_PENDING) else _RUNS
            shrunk = bench.size(1, 50)
            seconds = statistics.median(_whole(nodes // shrunk, pending // shrunk) for _ in range(bench.size(runs, 1)))
            taken[nodes, pending] = seconds
            goal = 20_000.0 if (nodes, pending) == _MAIN else None
            bench.more(f"sched.pure_{nodes}x{pending}_per_s", 1 / seconds, "1/s")
            if goal:
                bench.more("sched.pure_per_s", 1 / seconds, "1/s", goal=goal)
    bench.less("sched.pure_slope", slope([(n * p, each) for (n, p), each in taken.items()]))
    bench.less("sched.pure_slope_nodes", slope([(n, each) for (n, p), each in taken.items() if p == _MAIN[1]]))
    bench.less("sched.pure_slope_pending", slope([(p, each) for (n, p), each in taken.items() if n == _MAIN[0]]))
    nodes, pending = bench.size(_MAIN[0], 20), bench.size(2000, 200)
    bench.more("sched.pure_rounds_per_s", 1 / _in_rounds(nodes, pending), "1/s")


def _whole(nodes: int, pending: int) -> float:
    """Seconds for each decision when the whole queue is served in one round."""
    world = PendingInstances(nodes, pending)
    gc.collect()
    started = time.process_time()
    bound = world.decide()
    return (time.process_time() - started) / max(1, bound)


def _in_rounds(nodes: int, pending: int) -> float:
    """The same in rounds of _ROUND, as the operator does it while its writes are under way."""
    world = PendingInstances(nodes, pending)
    gc.collect()
    started = time.process_time()
    bound = 0
    while now := world.decide(_ROUND):
        bound += now
    return (time.process_time() - started) / max(1, bound)
