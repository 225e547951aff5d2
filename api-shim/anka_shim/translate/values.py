"""Reading one parameter of a request. Clients send numbers as text, empty text and 0 for "not given", and null.

Every function returns None for "not given" and raises `Failure` that names the parameter for what can't be meant.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from anka_shim.translate.failure import Failure

Json = Mapping[str, Any]

_INTEGER = re.compile(r"[+-]?[0-9]{1,18}")
_WORDS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


def shown(value: object) -> str:
    """The value as it is repeated in a message: short, and on one line."""
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


SECRET = frozenset({"vnc_password"})
"""Parameters that are never repeated: messages are logged."""


def wrong(name: str, what: str, value: object) -> Failure:
    if name in SECRET:
        return Failure(f"{name}: {what}")
    return Failure(f"{name}: {what} (given: {shown(value)})")


def text(data: Json, name: str) -> str | None:
    """A text, as given; a number is taken as its digits. Empty is not given."""
    value = data.get(name)
    if value is None or value == "":
        return None
    if isinstance(value, str):
        if "\0" in value:
            raise wrong(name, "must not contain NUL characters", value)
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise wrong(name, "must be a string", value)


def number(data: Json, name: str) -> int | None:
    """An integer, also as text or as a float without a fraction. 0 is kept."""
    value = data.get(name)
    if isinstance(value, str):
        value = value.strip()
        if not value:
            return None
        if _INTEGER.fullmatch(value):
            return int(value)
    elif isinstance(value, float) and math.isfinite(value) and value.is_integer():
        return int(value)
    elif isinstance(value, int) and not isinstance(value, bool):
        return value
    elif value is None:
        return None
    raise wrong(name, "must be an integer", value)


def positive(data: Json, name: str) -> int | None:
    """An integer where 0 means the default."""
    value = number(data, name)
    if value is not None and value < 0:
        raise wrong(name, "must not be negative", value)
    return value or None


def version(data: Json, name: str) -> int | None:
    """Number of a version: 0 is the first, unless a tag is given: then it is some client's empty value."""
    value = number(data, name)
    return None if value == 0 and text(data, "tag") else value


def boolean(data: Json, name: str) -> bool | None:
    value = data.get(name)
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return value
    if isinstance(value, int) and value in (0, 1):
        return bool(value)
    if isinstance(value, str) and value.strip().lower() in _WORDS:
        return _WORDS[value.strip().lower()]
    raise wrong(name, "must be true or false", value)


def choice(data: Json, name: str, options: tuple[str, ...]) -> str | None:
    """One of numbered options: 0 is the first."""
    value = number(data, name)
    if value is None:
        return None
    if not 0 <= value < len(options):
        raise wrong(name, f"must be one of {', '.join(map(str, range(len(options))))}", value)
    return options[value]


def mapping(data: Json, name: str) -> dict[str, Any] | None:
    value = data.get(name)
    if value is None or value == "":
        return None
    if not isinstance(value, dict):
        raise wrong(name, "must be an object", value)
    return value


def texts(data: Json, name: str) -> list[str]:
    """An array of texts; a text alone is an array of one. Without what is empty, each once."""
    value = data.get(name)
    if value is None or value == "":
        return []
    if isinstance(value, str):
        value = [value]
    if not isinstance(value, list):
        raise wrong(name, "must be an array of strings", value)
    found = [text({f"{name}[{place}]": item}, f"{name}[{place}]") for place, item in enumerate(value)]
    return list(dict.fromkeys(item for item in found if item is not None))


def short(data: Json, name: str, most: int) -> str | None:
    """A text of at most so many characters."""
    value = text(data, name)
    if value is not None and len(value) > most:
        raise wrong(name, f"must have at most {most} characters", value)
    return value


def metadata(data: Json, name: str = "metadata") -> dict[str, str | int | bool] | None:
    """Key-value pairs: keys of 1 to 253 characters; values strings, integers or booleans. None if empty."""
    pairs = mapping(data, name) or {}
    for key, value in pairs.items():
        if not 1 <= len(key) <= 253 or "\0" in key:
            raise wrong(name, "keys must have 1 to 253 characters and no NUL", key)
        if not isinstance(value, str | int | bool | None):
            raise wrong(name, f"value of {shown(key)} must be a string, integer or boolean", value)
        if isinstance(value, str) and "\0" in value:
            raise wrong(name, f"value of {shown(key)} must not contain NUL characters", value)
        if isinstance(value, int) and not -(2**63) <= value < 2**63:
            raise wrong(name, f"value of {shown(key)} must fit in 64 bits", value)
    if len(pairs) > 64:
        raise Failure(f"{name}: at most 64 keys (given: {len(pairs)})")
    return {key: value for key, value in pairs.items() if value is not None} or None
