"""Why an instance waits, in one line for people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping


def summary(total: int, obstacles: Mapping[str, int]) -> str:
    """`0/3 nodes fit: 2 full, 1 draining`, most frequent first."""
    if not total:
        return "There are no nodes yet"
    parts = sorted(Counter(obstacles).items(), key=lambda item: (-item[1], item[0]))
    return f"0/{total} node{'' if total == 1 else 's'} fit: " + ", ".join(f"{count} {what}" for what, count in parts)


def single(node: str, obstacle: str) -> str:
    """For an instance that names its node."""
    return f"Node {node} is {obstacle}"
