"""Files to which other processes append an object in JSON as a line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def read(file: Path) -> list[dict[str, Any]]:
    """Without a last line that is still being written: who reads meanwhile may see a part of it."""
    complete, _, _ = file.read_bytes().rpartition(b"\n")
    return [json.loads(line) for line in complete.splitlines()]
