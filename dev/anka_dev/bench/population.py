"""Who is in which group and which Mac holds which templates, in clouds of any size. Pure."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from anka_dev.bench.cluster_objects import TEMPLATE, TEMPLATE_NAME

_SPACE = uuid.UUID("5f0f3c1e-9d0c-4b65-9a53-5d7b6f0b8a11")


def mac_name(number: int) -> str:
    return f"mac-{number:04}"


def group_name(number: int) -> str:
    return f"group-{number:02}"


def template_id(number: int) -> str:
    """The first is the one that every Mac holds."""
    return TEMPLATE if number == 0 else str(uuid.uuid5(_SPACE, f"template-{number}"))


def template_name(number: int) -> str:
    return TEMPLATE_NAME if number == 0 else f"{TEMPLATE_NAME}-{number:03}"


@dataclass(frozen=True)
class Population:
    """`groups`: NodeGroups, each Mac is in one; 0: in none. `held`: templates on each Mac, of `templates`."""

    groups: int = 0
    templates: int = 1
    held: int = 1

    def group_of(self, number: int) -> str:
        """Of a Mac, or of an instance; empty if there are no groups."""
        return group_name(number % self.groups) if self.groups else ""

    def templates_of(self, mac: int) -> list[int]:
        """The first template, and others in turn: each is on as many Macs as any other."""
        others = self.templates - 1
        turns = range(min(self.held - 1, others))
        return [0, *(1 + (mac * (self.held - 1) + turn) % others for turn in turns)]
