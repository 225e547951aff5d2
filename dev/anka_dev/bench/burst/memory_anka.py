"""The simulated Mac's `anka` without a process for each command: for hundreds of Macs in one process."""

from __future__ import annotations

import asyncio
import io
import time
from collections.abc import Mapping
from pathlib import Path
from random import Random
from typing import Any

from anka_agent.anka.command import Anka, OnLine, answer
from anka_sim.mac.cli import execute
from anka_sim.mac.core import SimulatedMac
from anka_sim.mac.hypervisor import LocalHypervisor
from anka_sim.mac.store import MemoryStore


class MemoryAnka(Anka):
    """One Mac in memory. Command lines, JSON and its parsing are the real ones; only `start` takes time: uniformly
    between 0 and `start_seconds`, the same in every run for the same Mac and the same order of starts.

    When each `start` had ended is added to the file `ends`, if there is one: the VM's UUID, and seconds of the
    performance clock.
    """

    def __init__(self, name: str, *, slots: int, start_seconds: float, ends: Path | None = None) -> None:
        super().__init__("anka")
        config = {"name": name, "max_running": slots, "ram_bytes": 64 << 30}
        self.mac = SimulatedMac(MemoryStore(config), LocalHypervisor(), sleep=_at_once)
        self._chance = Random(name)
        self._start_seconds = start_seconds
        self._ends = ends

    async def call(
        self,
        *args: str,
        seconds: float,
        on_line: OnLine | None = None,
        env: Mapping[str, str] | None = None,
        exclusive: bool = True,
    ) -> Any:
        """As the real one, at once."""
        if args[0] == "start":
            await asyncio.sleep(self._chance.uniform(0.0, self._start_seconds))
        out, err = io.StringIO(), io.StringIO()
        code = execute(self.mac, ["--machine-readable", *args], out, err)
        if args[0] == "start" and code == 0 and self._ends is not None:
            ended = time.perf_counter()
            with self._ends.open("a") as file:
                file.write(f"{self.mac.find(args[-1])['uuid']} {ended}\n")
        return answer(out.getvalue().encode(), err.getvalue().encode(), code, args[0])


def _at_once(_: float) -> None:
    """Commands other than `start` take no time."""


def ends_of(files: list[Path]) -> dict[str, float]:
    """The time when each `start` ended, by the VM's UUID."""
    lines = [line.split() for file in files if file.exists() for line in file.read_text().splitlines()]
    return {uuid: float(ended) for uuid, ended in lines}
