"""The API away for ten minutes: what happens on the Mac goes on, and is told once when the API is back."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from anka_agent.instances import recovery
from anka_crds.api import AnkaInstance
from anka_crds.resources import INSTANCES
from anka_kube.errors import Unreachable
from anka_kube.store import Store
from anka_runtime.backoff import Backoff
from support.faulty_mac import Fault, FaultyMac, MemoryApi

OUTAGE_SECONDS = 600.0


class Line(MemoryApi[AnkaInstance]):
    """Writes get no answer while it is `cut`."""

    cut = False
    refused = 0

    async def patch(self, obj: AnkaInstance, patch: Mapping[str, Any]) -> AnkaInstance:
        if self.cut:
            self.refused += 1
            raise Unreachable("connection refused", sent=False, action="patch")
        return await super().patch(obj, patch)


class Away(FaultyMac):
    def __init__(self, directory: Path) -> None:
        self.line = Line(Store(INSTANCES))
        super().__init__(directory, api=self.line)

    async def ten_minutes_later(self) -> None:
        """Tried again and again meanwhile, and nothing landed."""
        refused = self.line.refused
        await self.until(lambda: self.line.refused > refused + 3)
        self.clock.advance(OUTAGE_SECONDS)
        await self.until(lambda: self.line.refused > refused + 6)
        assert self.line.writes == []
        self.line.cut = False


@pytest.fixture
async def mac(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Away]:
    for name in ("PASSING_BACKOFF", "STEP_BACKOFF"):
        monkeypatch.setattr(recovery, name, Backoff(base=0.001, cap=0.001))
    made = Away(tmp_path)
    yield made
    await made.end()


async def test_a_start_is_finished_and_told(mac: Away) -> None:
    mac.line.cut = True
    await mac.begin(resources={"vcpu": 2})
    await mac.ten_minutes_later()
    assert [vm["status"] for vm in mac.vms()] == ["running"], "it was started in the dark"
    await mac.until(lambda: mac.phase == "Started")
    assert (mac.anka.calls.count("clone"), mac.anka.calls.count("start"), len(mac.api.writes)) == (1, 1, 1)


async def test_a_start_in_time_is_in_time_however_late_it_is_told(mac: Away) -> None:
    mac.line.cut = True
    await mac.begin(startDeadlineSeconds=60)
    await mac.ten_minutes_later()
    await mac.until(lambda: mac.phase in ("Started", "Error"))
    assert mac.phase == "Started"


async def test_a_vm_that_dies_is_told(mac: Away) -> None:
    await mac.begin()
    await mac.until(lambda: mac.phase == "Started")
    mac.line.writes.clear()
    mac.line.cut = True
    mac.anka.mac.stop(mac.vms()[0]["uuid"])
    await mac.look()
    assert mac.worker is not None
    mac.worker.wake()
    await mac.ten_minutes_later()
    await mac.until(lambda: mac.phase == "Stopped")
    assert (mac.anka.calls.count("start"), len(mac.api.writes)) == (1, 1)


async def test_a_removal_is_finished_and_told(mac: Away) -> None:
    await mac.begin()
    await mac.until(lambda: mac.phase == "Started")
    mac.line.writes.clear()
    mac.line.cut = True
    mac.delete()
    await mac.ten_minutes_later()
    assert mac.vms() == [], "the Mac's place is free meanwhile"
    await mac.until(lambda: mac.instance is None)
    assert mac.anka.calls.count("delete") == 1


async def test_a_failure_keeps_its_reason(mac: Away) -> None:
    mac.line.cut = True
    mac.anka.faults.append(Fault("clone", "fail"))
    await mac.begin()
    await mac.ten_minutes_later()
    await mac.until(lambda: mac.phase == "Error")
    assert mac.told == ("CloneFailed", "the VM cannot be made: anka clone: simulated")
    assert mac.anka.calls.count("clone") == 1
