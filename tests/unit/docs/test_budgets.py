"""The table of what an object has room for says what the code says."""

from __future__ import annotations

import re
from pathlib import Path

from anka_crds.api.limits import BUDGETS

ROOT = Path(__file__).resolve().parents[3]
ROW = re.compile(r"^\| `([\w.\[\]]+)` \| ([\d,]+) \|", re.MULTILINE)


def test_each_budget_is_in_the_table() -> None:
    text = (ROOT / "docs/operate/failure-modes.md").read_text(encoding="utf-8")
    assert {field: int(size.replace(",", "")) for field, size in ROW.findall(text)} == BUDGETS
