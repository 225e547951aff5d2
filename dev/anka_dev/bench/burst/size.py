"""How large a burst is, and what is expected of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

START_SECONDS = 2.5
"""A start takes between 0 and so long, uniformly distributed."""
CREATORS = 8


@dataclass(frozen=True)
class Size:
    name: str
    """Of the group of figures."""
    instances: int
    macs: int
    slots: int
    """Of each Mac."""
    turns: int
    goals: Mapping[str, float] = field(default_factory=dict)
    """By the figure's name."""
