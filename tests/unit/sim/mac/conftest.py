"""Simulated Macs for the tests in this directory."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from anka_sim.mac.core import SimulatedMac
from anka_sim.mac.harness import Mac
from anka_sim.mac.hypervisor import LocalHypervisor
from anka_sim.mac.store import MemoryStore

NOW = 1_800_000_000.0


@pytest.fixture
def make_mac(tmp_path: Path) -> Iterator[Callable[..., Mac]]:
    """Makes real Macs (executable, daemon); they are switched off afterwards."""
    made: list[Mac] = []

    def make(name: str = "mac", **config: Any) -> Mac:
        made.append(Mac(tmp_path / name, config))
        return made[-1]

    yield make
    for mac in made:
        mac.power_off()


@pytest.fixture
def mac(make_mac: Callable[..., Mac]) -> Mac:
    """A Mac with one template `tpl`."""
    mac = make_mac()
    assert mac.anka("-j", "create", "--disk-size", "40G", "tpl").code == 0
    return mac


@pytest.fixture
def memory() -> Callable[..., SimulatedMac]:
    """Makes Macs in memory whose sleeps are collected in `.slept`."""

    def make(**config: Any) -> SimulatedMac:
        slept: list[float] = []
        made = SimulatedMac(MemoryStore(config), LocalHypervisor(), sleep=slept.append, clock=lambda: NOW)
        made.slept = slept  # type: ignore[attr-defined]
        return made

    return make


@pytest.fixture
def eventually() -> Callable[[Callable[[], Any], str], Any]:
    """Waits for a condition on another process's files, where there is no event to wait for."""

    def wait(condition: Callable[[], Any], what: str, timeout: float = 60.0) -> Any:
        deadline = time.monotonic() + timeout
        while not (result := condition()):
            assert time.monotonic() < deadline, f"not within {timeout} s: {what}"
            time.sleep(0.01)
        return result

    return wait
