"""What benchmarks are made of: counting, watching, a scheduler in memory, Macs in memory, CPU accounting."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest

from anka_agent.anka.errors import AnkaError
from anka_agent.anka.operations import Operations
from anka_dev.bench.burst.anka import MemoryAnka, ends_of
from anka_dev.bench.burst.writes import counted
from anka_dev.bench.sched.pending import Pending
from anka_dev.bench.usage import Meter
from anka_dev.bench.watcher import Watcher
from anka_dev.bench.world import TAG, TEMPLATE, TEMPLATE_NAME
from anka_dev.controlplane.scheduler import configuration
from anka_dev.errors import DevError

METRICS = """# TYPE apiserver_request_total counter
apiserver_request_total{code="201",dry_run="",resource="ankainstances",subresource="",verb="POST"} 1000
apiserver_request_total{code="200",dry_run="",resource="ankainstances",subresource="status",verb="PATCH"} 2e+03
apiserver_request_total{code="200",dry_run="",resource="ankainstances",subresource="",verb="LIST"} 7
apiserver_request_total{code="409",dry_run="",resource="ankainstances",subresource="status",verb="PATCH"} 50
apiserver_request_total{code="201",dry_run="All",resource="ankainstances",subresource="",verb="POST"} 3
apiserver_request_total{code="200",dry_run="",resource="leases",subresource="",verb="PUT"} 11
apiserver_request_sli_duration_seconds_count{resource="ankainstances",verb="POST"} 5
"""


@pytest.mark.parametrize(("resource", "writes"), [("ankainstances", 3000), ("leases", 11), ("pods", 0)])
def test_writes_are_counted_without_reads_refusals_and_dry_runs(resource: str, writes: int) -> None:
    assert counted(METRICS, resource) == writes


def event(name: str, phase: str, type_: str = "MODIFIED") -> dict[str, Any]:
    return {"type": type_, "object": {"metadata": {"name": name}, "status": {"phase": phase}}}


def ended() -> None:
    raise DevError("the operator ended with code 1")


async def test_the_watcher_keeps_the_first_time_of_each_milestone() -> None:
    watcher = Watcher({"started": lambda raw: bool(raw["status"]["phase"] == "Started")})
    for moment, one in enumerate(
        [event("a", "Scheduling", "ADDED"), event("a", "Started"), event("a", "Started"), event("b", "x", "DELETED")]
    ):
        watcher.take(one, float(moment))
    assert (watcher.made, watcher.times) == ({"a": 0.0}, {"started": {"a": 1.0}})
    await watcher.until("started", 1, 1, lambda: None)
    with pytest.raises(DevError, match=r"1 of 2 were started within 0\.01 s"):
        await watcher.until("started", 2, 0.01, lambda: None)
    with pytest.raises(DevError, match="the operator ended"):
        await watcher.until("started", 2, 0.01, ended)


@pytest.mark.parametrize(("nodes", "pending", "limit"), [(7, 40, None), (40, 33, None), (7, 40, 5)])
def test_all_that_are_pending_get_a_node(nodes: int, pending: int, limit: int | None) -> None:
    world = Pending(nodes, pending)
    rounds = []
    while bound := world.decide(limit):
        rounds.append(bound)
    # Groups do not share their room evenly, so a few may stay; nobody is bound twice.
    assert pending * 0.8 <= sum(rounds) <= pending
    assert limit is None or max(rounds) <= limit


async def test_a_mac_in_memory_lives_a_whole_life() -> None:
    anka = MemoryAnka("mac-1", slots=1, start_seconds=0.0)
    anka.mac.hold(TEMPLATE, TEMPLATE_NAME, TAG)
    operations = Operations(anka)
    await operations.clone(TEMPLATE, "vm-1", TAG)
    await operations.start("vm-1")
    assert (await operations.show("vm-1")).running
    await operations.clone(TEMPLATE, "vm-2", TAG)
    with pytest.raises(AnkaError, match="limited to 1"):
        await operations.start("vm-2")
    await operations.delete("vm-1")
    assert [vm.name for vm in await operations.vms()] == [TEMPLATE_NAME, "vm-2"]


async def test_when_starts_had_ended_can_be_read_from_another_process(tmp_path: Path) -> None:
    file = tmp_path / "mac-1.starts"
    anka = MemoryAnka("mac-1", slots=1, start_seconds=0.0, ends=file)
    anka.mac.hold(TEMPLATE, TEMPLATE_NAME, TAG)
    operations = Operations(anka)
    await operations.clone(TEMPLATE, "vm-1", TAG)
    await operations.clone(TEMPLATE, "vm-2", TAG)
    before = time.perf_counter()
    await operations.start("vm-1")
    with pytest.raises(AnkaError, match="limited to 1"):
        await operations.start("vm-2")  # did not start, so it has no time
    [(uuid, ended)] = ends_of([file, tmp_path / "nobody.starts"]).items()
    assert uuid == (await operations.show("vm-1")).uuid
    assert before <= ended <= time.perf_counter()


def test_start_delays_are_the_same_in_every_run() -> None:
    draws = [
        [anka._chance.uniform(0, 2.5) for _ in range(3)]
        for anka in (MemoryAnka(name, slots=1, start_seconds=2.5) for name in ("a", "a", "b"))
    ]
    assert draws[0] == draws[1] != draws[2]
    assert all(0 <= delay <= 2.5 for delay in draws[0])


def test_cpu_and_memory_of_a_process_are_accounted() -> None:
    with Meter(lambda: {"me": os.getpid()}).measure() as usage:
        end = time.process_time() + 0.05
        while time.process_time() < end:
            pass
    assert 0.03 <= usage.cpu["me"] == usage.total_cpu
    assert usage.rss_mib["me"] == usage.total_rss_mib > 5
    assert usage.seconds >= usage.cpu["me"] * 0.5


def test_kube_scheduler_runs_without_limits_of_its_own() -> None:
    config = json.loads(configuration(Path("/k")))
    assert config["clientConnection"] == {"kubeconfig": "/k", "qps": 100_000, "burst": 100_000}
    assert config["leaderElection"] == {"leaderElect": False}
