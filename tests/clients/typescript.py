"""What JavaScript makes of an answer: undefined, truthiness, `===`, and the TypeErrors that follow."""

from __future__ import annotations

import json
from typing import Any

from clients.failing import Broken


class JsTypeError(Broken):
    """TypeError."""


class _Undefined:
    def __repr__(self) -> str:
        return "undefined"


UNDEFINED = _Undefined()


def parse(raw: bytes) -> Any:
    """`JSON.parse`. Raises Broken, as a SyntaxError would."""
    try:
        return json.loads(raw)
    except ValueError as error:
        raise Broken(f"SyntaxError: {error}") from None


def prop(value: Any, name: str) -> Any:
    """`value.name`. Raises JsTypeError on null and undefined."""
    if value is None or value is UNDEFINED:
        raise JsTypeError(f"Cannot read properties of {text(value)} (reading '{name}')")
    return value.get(name, UNDEFINED) if isinstance(value, dict) else UNDEFINED


def maybe(value: Any, *names: str) -> Any:
    """`value?.a?.b`."""
    for name in names:
        if value is None or value is UNDEFINED:
            return UNDEFINED
        value = prop(value, name)
    return value


def items(value: Any, what: str) -> list[Any]:
    """For `for (… of value)`, `value.find(…)`. Raises JsTypeError if it is no array."""
    if not isinstance(value, list):
        raise JsTypeError(f"{what} is not iterable")
    return value


def truthy(value: Any) -> bool:
    """Empty arrays and objects are true."""
    if isinstance(value, list | dict):
        return True
    return value is not UNDEFINED and bool(value)


def same(one: Any, other: Any) -> bool:
    """`===`: "22" is not 22, true is not 1."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, int | float) and isinstance(other, int | float):
        return one == other
    return type(one) is type(other) and bool(one == other)


def text(value: Any) -> str:
    """`${value}`."""
    if value is None:
        return "null"
    return str(value)
