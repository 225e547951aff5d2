"""The path of a route as a client writes it."""

from __future__ import annotations

import re

_PARAMETER = re.compile(r"\{\w+(:\w+)?\}")


def fill(path: str, value: str = "x") -> str:
    """``/pkg/{file}`` with this value in place of its parameter."""
    return _PARAMETER.sub(value, path)
