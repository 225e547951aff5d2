"""How large a cloud is measured, and for how long. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from anka_dev.bench.population import Population

PLACES = 2
"""On each Mac: the macOS licence permits two VMs on Apple silicon."""
_WAITING_FOR_EACH_MAC = 10
_GROUPS = 50
_TEMPLATES = 200
_HELD = 10
_FULL_MACS = 1000
_AGENTS_IN_A_PROCESS = 250
_JOINS_PER_SECOND = 20.0
"""Of all processes together: a join costs both sides some 80 ms of CPU."""


@dataclass(frozen=True)
class ScaleSize:
    """`idle_seconds`: how long the cloud is watched at rest. `down_seconds`: how long the apiserver is away."""

    macs: int
    idle_seconds: float
    down_seconds: float

    @property
    def running(self) -> int:
        return self.macs * PLACES

    @property
    def waiting(self) -> int:
        return self.macs * _WAITING_FOR_EACH_MAC

    @property
    def population(self) -> Population:
        """With fewer Macs than groups a group would have no Mac, and what is for it could never run."""
        return Population(groups=min(_GROUPS, self.macs), templates=min(_TEMPLATES, self.waiting), held=_HELD)

    @property
    def processes(self) -> int:
        """For the agents: at least two, because there are two cores."""
        return max(2, -(-self.macs // _AGENTS_IN_A_PROCESS))

    @property
    def join_gap_seconds(self) -> float:
        """Between two joins of one process."""
        return self.processes / _JOINS_PER_SECOND


def make_size(macs: int, idle_seconds: float | None = None, down_seconds: float | None = None) -> ScaleSize:
    """The times that are not given grow with the size: a minute of a small cloud shows its slope."""
    is_full = macs >= _FULL_MACS
    return ScaleSize(
        macs,
        idle_seconds=idle_seconds if idle_seconds is not None else 300.0 if is_full else 30.0,
        down_seconds=down_seconds if down_seconds is not None else 120.0 if is_full else 20.0,
    )


QUICK_SIZE = ScaleSize(4, idle_seconds=2.0, down_seconds=1.0)
DEFAULT_MACS = (100,)
DEFAULT_SIZES = tuple(map(make_size, DEFAULT_MACS))
