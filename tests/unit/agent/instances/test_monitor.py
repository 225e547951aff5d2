"""A VM that answers no more fails its instance; nothing else does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest

from anka_agent.anka.cli import AnkaCli
from anka_agent.anka.errors import AnkaError, CommandTimeout, ConnectionLost, MissingCommand
from anka_agent.anka.vm import Vm
from anka_agent.instances.monitor import VmMonitor
from support.faulty_mac import FaultyMac
from support.manual_clock import ManualClock

LATER = datetime(2100, 1, 1, tzinfo=UTC)
"""Every VM has been up for long."""
STUCK = CommandTimeout("did not end within 10 s", command="run")


class Guest:
    """Answers, or does not."""

    def __init__(self, mac: FaultyMac) -> None:
        self._anka = AnkaCli(mac.anka)
        self.error: AnkaError | None = None
        self.probed: list[tuple[str, float]] = []
        self.meanwhile: Callable[[], Awaitable[None]] | None = None

    async def show(self, vm: str) -> Vm:
        return await self._anka.show(vm)

    async def probe(self, vm: str, *, seconds: float) -> None:
        self.probed.append((vm, seconds))
        if self.meanwhile is not None:
            await self.meanwhile()
        if self.error is not None:
            raise self.error


@pytest.fixture
async def mac(tmp_path: Path) -> AsyncIterator[FaultyMac]:
    made = FaultyMac(tmp_path)
    await made.begin()
    await made.until(lambda: made.phase == "Started" and made.worker is not None and not made.worker.is_busy)
    yield made
    await made.end()


@pytest.fixture
def guest(mac: FaultyMac) -> Guest:
    return Guest(mac)


@pytest.fixture
def monitor(mac: FaultyMac, guest: Guest) -> VmMonitor:
    return VmMonitor(
        mac.store,
        cast(Any, guest),
        mac.host.inventory,
        lambda uid: mac.worker if uid == "uid-one" else None,
        ManualClock(LATER),
        delay=30.0,
        timeout=10.0,
    )


async def test_a_vm_that_answers(mac: FaultyMac, guest: Guest, monitor: VmMonitor) -> None:
    for _ in range(3):
        await monitor.check_all()
    [vm] = mac.vms()
    assert guest.probed == [(vm["uuid"], 10.0)] * 3
    assert (mac.phase, len(mac.api.writes)) == ("Started", 1)


async def test_a_vm_that_does_not(mac: FaultyMac, guest: Guest, monitor: VmMonitor) -> None:
    guest.error = STUCK
    await monitor.check_all()
    await mac.until(lambda: mac.phase == "Error")
    assert mac.told == ("VmStuck", "the VM answers no more: it did not run a command within 10 s")
    assert [vm["status"] for vm in mac.vms()] == ["stopped"], "it takes no place, and its disk is there to be looked at"
    assert len(mac.api.writes) == 2
    await monitor.check_all()
    assert len(guest.probed) == 1, "it is not asked again: that would start it"


@pytest.mark.parametrize(
    "error",
    [ConnectionLost("gone", 125, command="run"), MissingCommand("anka: no such command"), AnkaError("no", 1)],
    ids=lambda error: type(error).__name__,
)
async def test_what_cannot_be_asked_is_not_judged(
    error: AnkaError, mac: FaultyMac, guest: Guest, monitor: VmMonitor
) -> None:
    guest.error = error
    await monitor.check_all()
    assert (mac.phase, len(mac.api.writes)) == ("Started", 1)
    assert mac.worker is not None
    assert mac.worker._planner.failure is None


async def test_a_vm_that_was_stopped_need_not_answer(mac: FaultyMac, guest: Guest, monitor: VmMonitor) -> None:
    """The listing is older than the stop: `anka run` would start it."""
    [vm] = mac.vms()
    mac.anka.mac.stop(vm["uuid"])
    await monitor.check_all()
    assert guest.probed == []


async def test_a_deletion_meanwhile(mac: FaultyMac, guest: Guest, monitor: VmMonitor) -> None:
    async def delete() -> None:
        mac.delete()

    guest.error, guest.meanwhile = STUCK, delete
    await monitor.check_all()
    await mac.until(lambda: mac.instance is None)
    assert mac.vms() == []


async def test_a_restart_meanwhile(mac: FaultyMac, guest: Guest, monitor: VmMonitor) -> None:
    """A VM that boots answers late."""
    restarted = "2026-01-01T02:00:00Z"

    def is_restarted() -> bool:
        found = mac.instance
        done = None if found is None else found.status.restarted_at
        return done is not None and mac.worker is not None and not mac.worker.is_busy

    async def restart() -> None:
        mac.change({"spec": {"restartedAt": restarted}})
        await mac.until(is_restarted)

    guest.error, guest.meanwhile = STUCK, restart
    await monitor.check_all()
    assert mac.phase == "Started"
    assert mac.worker is not None
    assert mac.worker._planner.failure is None


async def test_rounds(mac: FaultyMac, guest: Guest, monitor: VmMonitor) -> None:
    naps: list[float] = []

    async def sleep(seconds: float) -> None:
        naps.append(seconds)
        if len(naps) == 3:
            await asyncio.Event().wait()

    monitor.sleep = sleep
    task = asyncio.create_task(monitor.run())
    await mac.until(lambda: len(naps) == 3)
    task.cancel()
    assert naps == [30.0] * 3
    assert len(guest.probed) == 2


async def test_a_vm_that_is_gone_by_then(mac: FaultyMac, guest: Guest, monitor: VmMonitor) -> None:
    """Looking at it brings it back into no listing."""
    [vm] = mac.vms()
    mac.anka.mac.stop(vm["uuid"])
    mac.anka.mac.delete(vm["uuid"])
    await monitor.check_all()
    assert guest.probed == []
