"""What a JSON Web Token says of itself, before anybody has checked it: enough to know who can. Pure."""

import base64
import binascii
from dataclasses import dataclass

import orjson

_LONGEST_ISSUER = 2048


@dataclass(frozen=True, slots=True)
class UnverifiedToken:
    """`text`: all of it. `issuer`: its `iss`. `expires`: its `exp`, in seconds since 1970; None if it has none."""

    text: str
    issuer: str
    expires: float | None = None


def parse_unverified(text: str) -> UnverifiedToken | None:
    """None for what has not the form of a signed token (RFC 7515, 7.1) with an issuer."""
    parts = text.split(".")
    if len(parts) != 3 or not all(parts):
        return None
    try:
        packed = parts[1].encode("ascii")
        claims = orjson.loads(base64.b64decode(packed + b"=" * (-len(packed) % 4), altchars=b"-_", validate=True))
    except (UnicodeEncodeError, binascii.Error, ValueError):
        return None
    issuer = claims.get("iss") if isinstance(claims, dict) else None
    if not isinstance(issuer, str) or not 0 < len(issuer) <= _LONGEST_ISSUER:
        return None
    expires = claims.get("exp")
    # In Python, True is an int.
    is_time = isinstance(expires, int | float) and not isinstance(expires, bool)
    return UnverifiedToken(text, issuer, float(expires) if is_time else None)
