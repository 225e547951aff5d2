"""The shape of an answer: a small language in YAML, and what an answer has wrong by it.

string                  a leaf, one of LEAVES
string | null           one of several leaves. Nothing is null unless its shape says so
{key: SHAPE}            an object with this key and no other
{key?: SHAPE}           the key may be absent; when it is there it has that shape
{key!: null}            the key must be absent (for a key that `$with` takes away)
{…, $open: true}        other keys may be there, too: for steps that wait, not for contracts
[SHAPE]                 an array of any length whose items have this shape
{$items: [SHAPE, …]}    an array of exactly these items, in this order
{$some: SHAPE}          an array in which an item has this shape; the others may be anything
{$none: SHAPE}          an array in which no item has this shape
{$every: SHAPE, $min: n, $max: n}   an array of so many items of this shape
{$map: SHAPE}           an object with any keys, all values of this shape
{$or: [SHAPE, …]}       one of these shapes
{$is: VALUE}            this value and no other, of the same JSON type
{$like: REGEX}          a string that matches from its first character to its last
{$use: NAME}            a named shape; shapes.yaml has them
{$use: NAME, $with: {key: SHAPE}}   the same, with these keys instead of its own
"""

from __future__ import annotations

import math
import re
import uuid
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from anka_crds.api.states import NodeState, Phase

Shape = Any
Named = Mapping[str, Shape]


class BadShape(Exception):
    """The shape itself is wrong: says what and where."""


def _integer(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _number(value: object) -> bool:
    """As Go writes it: one without a fraction has no point, for Go's clients may read it as an integer."""
    return _integer(value) or (isinstance(value, float) and math.isfinite(value) and not value.is_integer())


def _time(value: object) -> bool:
    """RFC 3339: Go's clients parse it so, and refuse what is only nearly that."""
    pattern = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)"
    if not isinstance(value, str) or re.fullmatch(pattern, value, re.ASCII) is None:
        return False
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return True


def _uuid(value: object) -> bool:
    try:
        return isinstance(value, str) and str(uuid.UUID(value)) == value
    except ValueError:
        return False


LEAVES: Mapping[str, Callable[[Any], bool]] = {
    "null": lambda value: value is None,
    "bool": lambda value: isinstance(value, bool),
    "int": _integer,
    "uint": lambda value: _integer(value) and value >= 0,
    "port": lambda value: _integer(value) and 1 <= value <= 65535,
    "amount": lambda value: _number(value) and value >= 0,
    "fraction": lambda value: _number(value) and 0 <= value <= 1,
    "scalar": lambda value: isinstance(value, str | bool) or _integer(value),
    "string": lambda value: isinstance(value, str),
    "text": lambda value: isinstance(value, str) and value.strip() != "",
    "uuid": _uuid,
    "rfc3339": _time,
    "epoch": lambda value: _integer(value) and (value == 0 or 1_000_000_000 < value < 10_000_000_000),
    "url": lambda value: isinstance(value, str) and re.fullmatch(r"https?://[^\s/]+(/\S*)?", value) is not None,
    "state": lambda value: value in [str(word) for word in Phase],
    "node state": lambda value: value in [str(word) for word in NodeState],
    "arch": lambda value: value in ("amd64", "arm64"),
}
"""What each leaf takes. `text` is a string that is not empty; `fraction` a number from 0 to 1; `epoch` seconds since
1970, or 0 for never; `scalar` what a value of metadata may be."""

_OPERATORS = {
    frozenset({"$items"}),
    frozenset({"$some"}),
    frozenset({"$none"}),
    frozenset({"$map"}),
    frozenset({"$or"}),
    frozenset({"$is"}),
    frozenset({"$like"}),
    frozenset({"$use"}),
    frozenset({"$use", "$with"}),
}
_ABSENT = object()


def problems(shape: Shape, value: object, named: Named, path: str = "") -> Iterator[str]:
    """What is wrong with the answer, each with its place. BadShape when the shape itself is."""
    where = path or "the answer"
    if isinstance(shape, str):
        words = [word.strip() for word in shape.split("|")]
        for word in words:
            if word not in LEAVES:
                raise BadShape(f"{where}: no such word: {word!r}; known are {', '.join(LEAVES)}")
        if not any(LEAVES[word](value) for word in words):
            yield f"{where}: is not {shape}: {_shown(value)}"
    elif isinstance(shape, list):
        if len(shape) != 1:
            raise BadShape(f"{where}: an array's shape has one item, the shape of all: {shape!r}")
        yield from _array({"$every": shape[0]}, value, named, path)
    elif not isinstance(shape, Mapping):
        raise BadShape(f"{where}: a shape is a word, an array or an object, not {shape!r}")
    elif "$every" in shape:
        yield from _array(shape, value, named, path)
    elif any(key.startswith("$") for key in shape if key != "$open"):
        yield from _operator(shape, value, named, path)
    else:
        yield from _object(shape, value, named, path)


def check(shape: Shape, named: Named, path: str = "") -> None:
    """Whether all of it is a shape, without any answer. BadShape names the place that is not."""
    where = path or "the shape"
    # Any answer will do: a wrong shape says so before it says what is wrong with that.
    list(problems(shape, _ABSENT, named, where))
    for key, inner in _parts(shape):
        check(inner, named, f"{where}{key}")


def _parts(shape: Shape) -> Iterator[tuple[str, Shape]]:
    """The shapes inside this one. Named ones are checked where they are named."""
    if isinstance(shape, list):
        yield "[]", shape[0]
    elif isinstance(shape, Mapping):
        for key, inner in shape.items():
            if key in ("$items", "$or"):
                yield from ((f"[{place}]", item) for place, item in enumerate(inner))
            elif key == "$with":
                yield from _parts(inner)
            elif key in ("$every", "$some", "$none", "$map"):
                yield "[]", inner
            elif not key.startswith("$") and not key.endswith("!"):
                yield f".{_bare(key)}", inner


def _operator(shape: Mapping[str, Any], value: object, named: Named, path: str) -> Iterator[str]:
    where = path or "the answer"
    if frozenset(shape) not in _OPERATORS:
        raise BadShape(f"{where}: these do not go together: {', '.join(shape)}")
    if "$use" in shape:
        yield from problems(_used(shape, named, where), value, named, path)
    elif "$is" in shape:
        if type(value) is not type(shape["$is"]) or value != shape["$is"]:
            yield f"{where}: is not {_shown(shape['$is'])}: {_shown(value)}"
    elif "$like" in shape:
        if not isinstance(value, str) or re.fullmatch(shape["$like"], value) is None:
            yield f"{where}: is not like {shape['$like']}: {_shown(value)}"
    elif "$map" in shape:
        if not isinstance(value, Mapping):
            yield f"{where}: is not an object: {_shown(value)}"
            return
        for key, inner in value.items():
            yield from problems(shape["$map"], inner, named, f"{path}.{key}")
    elif "$or" in shape:
        tried = [list(problems(option, value, named, path)) for option in shape["$or"]]
        if all(tried):
            yield f"{where}: is none of {len(tried)} shapes: {'; or '.join(', '.join(wrong) for wrong in tried)}"
    elif "$items" in shape:
        items = shape["$items"]
        yield from _array({"$every": None, "$min": len(items), "$max": len(items)}, value, named, path, items)
    elif not isinstance(value, list):
        yield f"{where}: is not an array: {_shown(value)}"
    else:
        key = "$some" if "$some" in shape else "$none"
        fitting = [item for item in value if not any(problems(shape[key], item, named))]
        if key == "$some" and not fitting:
            yield f"{where}: has no item like {_shown(shape[key])}: {_shown(value)}"
        if key == "$none" and fitting:
            yield f"{where}: has an item like {_shown(shape[key])}: {_shown(fitting[0])}"


def _used(shape: Mapping[str, Any], named: Named, where: str) -> Shape:
    name = shape["$use"]
    if name not in named:
        raise BadShape(f"{where}: no such shape: {name!r}; known are {', '.join(named)}")
    changes: Mapping[str, Shape] = shape.get("$with", {})
    if not changes:
        return named[name]
    base = named[name]
    if not isinstance(base, Mapping) or any(key.startswith("$") for key in base):
        raise BadShape(f"{where}: $with changes keys of an object, and {name} is none")
    replaced = {_bare(key) for key in changes}
    unknown = replaced - {_bare(key) for key in base}
    if unknown:
        raise BadShape(f"{where}: {name} has no key {', '.join(sorted(unknown))}")
    return {**{key: inner for key, inner in base.items() if _bare(key) not in replaced}, **changes}


def _array(
    shape: Mapping[str, Any], value: object, named: Named, path: str, each: list[Shape] | None = None
) -> Iterator[str]:
    where = path or "the answer"
    if not shape.keys() <= {"$every", "$min", "$max"}:
        raise BadShape(f"{where}: these do not go together: {', '.join(shape)}")
    if not isinstance(value, list):
        yield f"{where}: is not an array: {_shown(value)}"
        return
    least, most = shape.get("$min", 0), shape.get("$max", math.inf)
    if not least <= len(value) <= most:
        yield f"{where}: has {len(value)} items, not {least} to {most}"
        return
    for place, item in enumerate(value):
        yield from problems(each[place] if each is not None else shape["$every"], item, named, f"{path}[{place}]")


def _object(shape: Mapping[str, Shape], value: object, named: Named, path: str) -> Iterator[str]:
    where = path or "the answer"
    known = {_bare(key): (key[-1:], inner) for key, inner in shape.items() if key != "$open"}
    if len(known) != len(shape) - ("$open" in shape):
        raise BadShape(f"{where}: a key is there twice: {', '.join(shape)}")
    if not isinstance(value, Mapping):
        yield f"{where}: is not an object: {_shown(value)}"
        return
    for name, (mark, inner) in known.items():
        there = value.get(name, _ABSENT)
        if mark == "!":
            if there is not _ABSENT:
                yield f"{path}.{name}: must be absent: {_shown(there)}"
        elif there is not _ABSENT:
            yield from problems(inner, there, named, f"{path}.{name}")
        elif mark != "?":
            yield f"{path}.{name}: is missing"
    if not shape.get("$open"):
        for name in value.keys() - known.keys():
            yield f"{path}.{name}: is not expected: {_shown(value[name])}"


def _bare(key: str) -> str:
    return key[:-1] if key.endswith(("?", "!")) else key


def _shown(value: object) -> str:
    text = "nothing" if value is _ABSENT else repr(value)
    return text if len(text) <= 200 else text[:197] + "..."
