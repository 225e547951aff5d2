"""The benchmarks there are. One row each: its name, what it shows, and the module that has `run(bench)`."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import dataclass

from anka_dev.bench.bench import Bench
from anka_dev.errors import DevError


@dataclass(frozen=True)
class Benchmark:
    name: str
    """The part before the first dot is its group."""
    title: str
    module: str

    def run(self, bench: Bench) -> None:
        """Measure, and put the figures into `bench`. What it made in the cluster is gone afterwards."""
        importlib.import_module(self.module).run(bench)


BENCHMARKS: tuple[Benchmark, ...] = (
    Benchmark("rest", "the legacy REST API: lists, reads, starts, deletions", "anka_dev.bench.rest.bench"),
    Benchmark("sched.pure", "the scheduler's decisions alone, without I/O", "anka_dev.bench.sched.pure"),
    Benchmark("sched.bind", "instances bound in a cluster, beside kube-scheduler", "anka_dev.bench.sched.bind"),
    Benchmark("burst.100", "100 instances on 50 Macs, until all are Started", "anka_dev.bench.burst.small"),
    Benchmark("burst.1000", "1,000 instances on 250 Macs, until all are Started", "anka_dev.bench.burst.large"),
)


def chosen(only: str | None, benchmarks: Sequence[Benchmark] = BENCHMARKS) -> list[Benchmark]:
    """All, or those named in a list with commas, by name or by group. DevError for a name that is not there."""
    if only is None:
        return list(benchmarks)
    wanted = [word.strip() for word in only.split(",") if word.strip()]
    known = {name for one in benchmarks for name in (one.name, one.name.split(".")[0])}
    unknown = [word for word in wanted if word not in known]
    if unknown or not wanted:
        names = ", ".join(sorted(known))
        raise DevError(f"--only: there is no benchmark {unknown[0] if unknown else only!r}: there are {names}")
    return [one for one in benchmarks if one.name in wanted or one.name.split(".")[0] in wanted]
