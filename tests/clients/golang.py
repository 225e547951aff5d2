"""encoding/json into typed structs: a null changes nothing, a missing key neither, any other type is an error.

A struct is a dataclass whose fields have the JSON names and zero values as defaults; a pointer is `X | None`.
"""

from __future__ import annotations

import json
import re
import types
from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin, get_type_hints

from clients.failing import Broken

T = TypeVar("T")

Int = Annotated[int, "int"]
Uint = Annotated[int, "uint"]

_RANGES = {"int": (-(1 << 63), (1 << 63) - 1), "uint": (0, (1 << 64) - 1)}
_RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")

ZERO_TIME = datetime.fromisoformat("0001-01-01T00:00:00+00:00")


class DecodeError(Broken):
    """json.UnmarshalTypeError, json.SyntaxError or time.ParseError."""


class Panic(Broken):
    """A runtime panic: the process ends."""


@dataclass
class Base:
    """The envelope, as all Go clients declare it. The body is declared by each answer."""

    status: str = ""
    message: str = ""


def unmarshal(raw: bytes, into: type[T]) -> T:
    """`json.Unmarshal(raw, &value)`. Raises DecodeError."""
    try:
        value = json.loads(raw, parse_constant=_no_constant)
    except ValueError as error:
        raise DecodeError(f"invalid character in JSON: {error}") from None
    result: T = _fill(value, into, into())
    return result


def deref(pointer: T | None, what: str) -> T:
    """`*pointer`. Raises Panic on nil."""
    if pointer is None:
        raise Panic(f"invalid memory address or nil pointer dereference: {what}")
    return pointer


def first(items: list[T], what: str) -> T:
    """`items[0]`. Raises Panic when there is none."""
    if not items:
        raise Panic(f"index out of range [0] with length 0: {what}")
    return items[0]


def _no_constant(name: str) -> Any:
    raise ValueError(name)


def _fill(value: Any, kind: Any, zero: Any, where: str = "") -> Any:
    if value is None:
        return zero
    origin = get_origin(kind)
    if origin is Annotated:
        return _integer(value, get_args(kind)[1], where)
    if origin in (Union, types.UnionType):
        (inner,) = [argument for argument in get_args(kind) if argument is not type(None)]
        return _fill(value, inner, _zero(inner), where)
    if origin is list:
        return _slice(value, get_args(kind)[0], where)
    if is_dataclass(kind):
        return _struct(value, kind, where)
    return _scalar(value, kind, where)


def _integer(value: Any, word: str, where: str) -> int:
    low, high = _RANGES[word]
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise _mismatch(value, word, where)
    return value


def _slice(value: Any, kind: Any, where: str) -> list[Any]:
    if not isinstance(value, list):
        raise _mismatch(value, "slice", where)
    return [_fill(item, kind, _zero(kind), where) for item in value]


def _zero(kind: Any) -> Any:
    """What a null leaves behind in a new element."""
    return kind() if is_dataclass(kind) or kind in (str, float, bool) else None


def _struct(value: Any, kind: Any, where: str) -> Any:
    if not isinstance(value, dict):
        raise _mismatch(value, kind.__name__, where)
    filled = kind()
    hints = get_type_hints(kind, include_extras=True)
    for field in fields(kind):
        # The last of several keys wins, and case does not matter.
        for key in (key for key in value if key.lower() == field.name.lower()):
            place = f"{where}.{field.name}".lstrip(".")
            setattr(filled, field.name, _fill(value[key], hints[field.name], getattr(filled, field.name), place))
    return filled


def _scalar(value: Any, kind: Any, where: str) -> Any:
    if kind is datetime:
        if not isinstance(value, str) or not _RFC3339.fullmatch(value):
            raise DecodeError(f"parsing time {value!r} as RFC 3339 at {where}")
        return datetime.fromisoformat(value)
    if kind is float and isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if kind in (str, bool) and isinstance(value, kind):
        return value
    raise _mismatch(value, kind.__name__, where)


def _mismatch(value: Any, kind: str, where: str) -> DecodeError:
    return DecodeError(f"json: cannot unmarshal {json.dumps(value)[:40]} into Go struct field {where} of type {kind}")


def headers(
    host: str, body: bytes | None = None, extra: dict[str, str] | None = None, agent: str = "Go-http-client/1.1"
) -> list[tuple[str, str]]:
    """As net/http writes them: Host, User-Agent, Content-Length, the caller's in order of name, Accept-Encoding."""
    given = dict(extra or {})
    found = [("Host", given.pop("Host", host)), ("User-Agent", agent)]
    if body is not None:
        found.append(("Content-Length", str(len(body))))
    return [*found, *sorted(given.items()), ("Accept-Encoding", "gzip")]
