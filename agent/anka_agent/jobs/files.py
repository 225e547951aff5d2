"""Small JSON files that must survive a crash of the agent or of the Mac."""

import json
from pathlib import Path
from typing import Any

from anka_agent.jobs import runner
from anka_runtime.files import read_text


def read_json(path: Path) -> dict[str, Any]:
    """Empty for a file that is missing or damaged."""
    try:
        data = json.loads(read_text(path))
    except (FileNotFoundError, ValueError):
        return {}
    return data if isinstance(data, dict) else {}


def write_json(path: Path, data: dict[str, Any]) -> None:
    """On the disk when it returns, as a whole or not at all. Blocking. Raises OSError."""
    try:
        runner.write(str(path), data)
    except FileNotFoundError:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        runner.write(str(path), data)
