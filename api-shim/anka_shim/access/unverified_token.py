"""What a JSON Web Token says of itself, before anybody has checked it: enough to know who can. Pure."""

import base64
import binascii
from dataclasses import dataclass
from typing import Any

import orjson

_LONGEST_ISSUER = 2048


@dataclass(frozen=True, slots=True)
class UnverifiedToken:
    """`text`: all of it. `issuer`: its `iss`. `expires`: its `exp`, in seconds since 1970; `key_id`: its `kid`; None if
    it has none."""

    text: str
    issuer: str
    expires: float | None = None
    key_id: str | None = None


def parse_unverified(text: str) -> UnverifiedToken | None:
    """None for what has not the form of a signed token (RFC 7515, 7.1) with an issuer."""
    parts = text.split(".")
    if len(parts) != 3 or not all(parts):
        return None
    try:
        head, claims = (_unpack(part) for part in parts[:2])
    except (UnicodeEncodeError, binascii.Error, ValueError):
        return None
    issuer = claims.get("iss")
    if not isinstance(issuer, str) or not 0 < len(issuer) <= _LONGEST_ISSUER:
        return None
    expires, key_id = claims.get("exp"), head.get("kid")
    return UnverifiedToken(text, issuer, _read_time(expires), key_id if isinstance(key_id, str) else None)


def _read_time(value: object) -> float | None:
    # In Python, True is an int.
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _unpack(part: str) -> dict[str, Any]:
    packed = part.encode("ascii")
    data = orjson.loads(base64.b64decode(packed + b"=" * (-len(packed) % 4), altchars=b"-_", validate=True))
    if not isinstance(data, dict):
        raise ValueError("not a JSON object")  # noqa: TRY004  # the text is wrong
    return data
