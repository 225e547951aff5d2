"""The benchmarks: name, what each shows, and the module that has `run(bench)`."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import dataclass

from anka_dev.bench.bench import Bench
from localkube.errors import DevError


@dataclass(frozen=True)
class Benchmark:
    name: str
    """The part before the first dot is its group."""
    title: str
    module: str

    def run(self, bench: Bench) -> None:
        """Measure, and put the figures into `bench`. Its objects in the cluster are removed afterwards."""
        importlib.import_module(self.module).run(bench)


BENCHMARKS: tuple[Benchmark, ...] = (
    Benchmark("rest", "the legacy REST API: lists, reads, starts, deletions", "anka_dev.bench.rest.bench"),
    Benchmark("sched.pure", "the scheduler's decisions alone, without I/O", "anka_dev.bench.sched.pure"),
    Benchmark("sched.bind", "instances bound in a cluster, beside kube-scheduler", "anka_dev.bench.sched.bind"),
    Benchmark("burst.100", "100 starts on 50 Macs, and as many Pods on 50 nodes", "anka_dev.bench.burst.small"),
    Benchmark("burst.1000", "1,000 starts on 250 Macs, and as many Pods on 250 nodes", "anka_dev.bench.burst.large"),
    Benchmark("watches", "what the watches of many Macs cost the apiserver", "anka_dev.bench.watches.bench"),
    Benchmark("access.logins", "REST with each credential beside no authentication", "anka_dev.bench.access.logins"),
    Benchmark(
        "access.lists",
        "lists of members of permission groups, beside those of all",
        "anka_dev.bench.access.filtered_lists",
    ),
    Benchmark(
        "portal.stream",
        "the portal's stream: CPU of the shim, and bytes for each tab",
        "anka_dev.bench.portal.stream",
    ),
    Benchmark("portal.rest", "the REST API while 50 tabs are open", "anka_dev.bench.portal.beside_rest"),
    Benchmark("scale", "a full cloud at rest, its reads, and its return after storms", "anka_dev.bench.scale.bench"),
)


def select(only: str | None, benchmarks: Sequence[Benchmark] = BENCHMARKS) -> list[Benchmark]:
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
