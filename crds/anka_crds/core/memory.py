"""Sizes of RAM as the anka command writes them."""

from __future__ import annotations

import re

_SIZE = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([KMGT]?)(?:I?B)?", re.IGNORECASE)
_MIB = {"": 1 / 1024**2, "K": 1 / 1024, "M": 1.0, "G": 1024.0, "T": 1024.0**2}


def mebibytes(size: str | None) -> int:
    """`4G` -> 4096; a bare number is bytes. 0 for what isn't a size."""
    match = _SIZE.fullmatch(size.strip()) if size else None
    return round(float(match[1]) * _MIB[match[2].upper()]) if match else 0
