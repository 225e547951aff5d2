"""Macs in memory, as the agent sees them."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from anka_agent.anka.cli import AnkaCli
from anka_agent.anka.errors import AnkaError
from anka_dev.bench.burst.memory_anka import MemoryAnka, ends_of
from anka_dev.bench.cluster_objects import TAG, TEMPLATE, TEMPLATE_NAME


async def test_a_mac_in_memory_lives_a_whole_life() -> None:
    anka = MemoryAnka("mac-1", slots=1, start_seconds=0.0)
    anka.mac.put_template(TEMPLATE, TEMPLATE_NAME, TAG)
    cli = AnkaCli(anka)
    await cli.clone(TEMPLATE, "vm-1", TAG)
    await cli.start("vm-1")
    assert (await cli.show("vm-1")).running
    await cli.clone(TEMPLATE, "vm-2", TAG)
    with pytest.raises(AnkaError, match="limited to 1"):
        await cli.start("vm-2")
    await cli.delete("vm-1")
    assert [vm.name for vm in (await cli.vms()).vms] == [TEMPLATE_NAME, "vm-2"]


async def test_when_starts_had_ended_can_be_read_from_another_process(tmp_path: Path) -> None:
    file = tmp_path / "mac-1.starts"
    anka = MemoryAnka("mac-1", slots=1, start_seconds=0.0, ends=file)
    anka.mac.put_template(TEMPLATE, TEMPLATE_NAME, TAG)
    cli = AnkaCli(anka)
    await cli.clone(TEMPLATE, "vm-1", TAG)
    await cli.clone(TEMPLATE, "vm-2", TAG)
    before = time.perf_counter()
    await cli.start("vm-1")
    with pytest.raises(AnkaError, match="limited to 1"):
        await cli.start("vm-2")  # did not start, so it has no time
    [(uuid, ended)] = ends_of([file, tmp_path / "nobody.starts"]).items()
    assert uuid == (await cli.show("vm-1")).uuid
    assert before <= ended <= time.perf_counter()


def test_start_delays_are_the_same_in_every_run() -> None:
    draws = [
        [anka._chance.uniform(0, 2.5) for _ in range(3)]
        for anka in (MemoryAnka(name, slots=1, start_seconds=2.5) for name in ("a", "a", "b"))
    ]
    assert draws[0] == draws[1] != draws[2]
    assert all(0 <= delay <= 2.5 for delay in draws[0])
