"""Figures with names, and how they compare with goals and peers. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

Better = Literal["more", "less"]


@dataclass(frozen=True)
class PeerFigure:
    """The same thing, measured of another system or of a reference on the way."""

    name: str
    value: float


@dataclass(frozen=True)
class Figure:
    """One number. `better` says which way is good; None where neither is, as for a size."""

    name: str
    value: float
    unit: str = ""
    better: Better | None = None
    goal: float | None = None
    peers: Sequence[PeerFigure] = ()

    def ratio_to(self, peer: PeerFigure) -> float | None:
        """How many times as good as the peer: above 1 is ahead. None where neither way is good."""
        if self.better is None:
            return None
        ours, theirs = (self.value, peer.value) if self.better == "more" else (peer.value, self.value)
        return ours / theirs if theirs else math.inf

    @property
    def is_met(self) -> bool | None:
        """Whether the goal is reached; None without one."""
        if self.goal is None:
            return None
        return self.value >= self.goal if self.better == "more" else self.value <= self.goal


class Figures:
    """In the order in which they were taken."""

    def __init__(self) -> None:
        self._all: dict[str, Figure] = {}

    def put(self, figure: Figure) -> None:
        """ValueError for a name that is taken, and for what is not a finite number: JSON has none."""
        if figure.name in self._all:
            raise ValueError(f"{figure.name} was measured twice")
        if not math.isfinite(figure.value):
            raise ValueError(f"{figure.name} is {figure.value}")
        self._all[figure.name] = figure

    def flat(self) -> dict[str, float]:
        """Name to number."""
        return {name: figure.value for name, figure in self._all.items()}

    def __iter__(self) -> Iterator[Figure]:
        return iter(self._all.values())

    def __getitem__(self, name: str) -> float:
        return self._all[name].value


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that at least `percent` of all do not exceed (nearest rank). ValueError without values."""
    if not values:
        raise ValueError("no values")
    rank = math.ceil(len(values) * percent / 100)
    return sorted(values)[max(0, rank - 1)]


def slope(points: Sequence[tuple[float, float]]) -> float:
    """How y grows with x, as the exponent of a power law (least squares in logarithms): 0 is flat, 1 is linear.

    ValueError for less than two different x."""
    logs = [(math.log(x), math.log(y)) for x, y in points]
    mean_x = sum(x for x, _ in logs) / len(logs) if logs else 0.0
    mean_y = sum(y for _, y in logs) / len(logs) if logs else 0.0
    spread = sum((x - mean_x) ** 2 for x, _ in logs)
    if not spread:
        raise ValueError("a slope needs two different sizes")
    return sum((x - mean_x) * (y - mean_y) for x, y in logs) / spread
