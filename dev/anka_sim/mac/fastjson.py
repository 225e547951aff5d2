"""`dumps` and `loads` of the json module, without its import.

Importing json (through re, enum and functools) takes 6 of the 17 ms of CPU of an `anka` call, and a test with agents
makes some 25 calls (measured: 973 in 38 tests). The C half of json does all the work and imports nothing; where that is
missing, json itself is used.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def _unknown(value: object) -> object:
    raise TypeError(f"{type(value).__name__} is not JSON")


class _Rules:
    """What the scanner asks for: the defaults of `json.loads`."""

    strict = True
    object_hook = None
    object_pairs_hook = None
    parse_float = float
    parse_int = int

    @staticmethod
    def parse_constant(name: str) -> float:
        return float(name.replace("Infinity", "inf"))


try:
    from _json import encode_basestring_ascii, make_encoder, make_scanner
except ImportError:
    from json import dumps as dumps
    from json import loads as loads
else:
    _scan = make_scanner(_Rules)  # type: ignore[arg-type]  # any object with these attributes will do

    def dumps(value: object) -> str:  # type: ignore[misc]
        encode = make_encoder({}, _unknown, encode_basestring_ascii, None, ": ", ", ", False, False, True)
        return "".join(encode(value, 0))

    def loads(text: str) -> Any:  # type: ignore[misc]
        text = text.strip(" \t\n\r")
        try:
            value, end = _scan(text, 0)
        except (StopIteration, SystemError, ValueError):
            end = -1
        if end != len(text):
            # Not JSON; json itself says what is wrong with it.
            import json

            return json.loads(text)
        return value
