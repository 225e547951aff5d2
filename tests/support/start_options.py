"""The tables of docs/reference/start-options.md, read."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from anka_shim.vm.request import StartVm, read_start

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "start-options.md"
TEMPLATE = "11111111-2222-3333-4444-555555555555"
CODE = re.compile(r"`([^`]+)`")


@dataclass(frozen=True)
class Row:
    rest: dict[str, Any]
    field: str
    commands: list[str]
    when: str
    hardware: str
    suspended: str

    @property
    def modifies(self) -> list[str]:
        return [line.removeprefix("anka ") for line in self.commands if line.startswith("anka modify")]

    def spec(self, template: str = TEMPLATE) -> dict[str, Any]:
        """What REST makes of the parameters."""
        request = read_start(StartVm.model_validate({"vmid": template, **self.rest}), max_count=1)
        return {**request.spec.to_api(), "template": template}


def _cells(head: str) -> Iterator[list[str]]:
    """Rows of the table that begins with this head."""
    inside = False
    for line in PAGE.read_text().splitlines():
        if not line.startswith("|"):
            inside = False
        elif line.startswith(f"| {head} |"):
            inside = True
        elif inside and not line.startswith("| --- "):
            yield [cell.strip() for cell in line.strip("|").split("|")]


def rows() -> list[Row]:
    found = []
    for rest, field, commands, when, hardware, suspended in _cells("REST"):
        lines = [line for line in CODE.findall(commands) if line.startswith("anka ")]
        found.append(
            Row(json.loads(f"{{{CODE.findall(rest)[0]}}}"), field.strip("`"), lines, when, hardware, suspended)
        )
    return found


def dialects() -> dict[str, str]:
    """Anka 3 -> Anka 2."""
    return {new.strip("`"): old.strip("`") for new, old in _cells("Anka 3")}
