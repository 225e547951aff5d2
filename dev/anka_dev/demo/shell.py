"""Commands that the demo prints, and its check runs. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class DemoCommand:
    """A line for a shell, that works as it is. `wanted`: what its output has."""

    title: str
    line: str
    wanted: tuple[str, ...]


def shorten_path(path: Path) -> str:
    """Relative to where the person stands, when it is below."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)
