"""Figures that sum up many. Pure."""

import math
from collections.abc import Sequence
from typing import Any

_DIGITS = 3


def quantile(values: Sequence[float], fraction: float) -> float:
    """By nearest rank: one of the values. `values`: sorted, at least one."""
    rank = math.ceil(fraction * len(values))
    return values[max(0, rank - 1)]


def summarize(values: Sequence[float]) -> dict[str, Any]:
    """Median and 95th percentile; without values their number alone."""
    if not values:
        return {"n": 0}
    ordered = sorted(values)
    return {
        "p50": round(quantile(ordered, 0.5), _DIGITS),
        "p95": round(quantile(ordered, 0.95), _DIGITS),
        "n": len(ordered),
    }
