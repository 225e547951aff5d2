"""What a client sends after the handshake: base64 of a JSON object that it has written anew. Pure."""

import base64
import binascii
from dataclasses import dataclass
from functools import lru_cache

import orjson

_LONGEST = 512
"""Characters of each value."""


_LONGEST_BEARER = 16_384
"""Characters of the whole, which may be printed in lines. Longer ones are of other kinds."""


@dataclass(frozen=True, slots=True)
class SessionToken:
    user: str
    session: str
    token: str


# Clients repeat it with each request.
@lru_cache(maxsize=512)
def parse_session(bearer: str) -> SessionToken | None:
    """By its values: clients order the keys as they like, and print it in lines. None for anything else."""
    if len(bearer) > _LONGEST_BEARER:
        return None
    packed = bearer.replace("-", "+").replace("_", "/").rstrip("=")
    try:
        data = orjson.loads(base64.b64decode(packed + "=" * (-len(packed) % 4), validate=True))
    except (binascii.Error, ValueError):
        return None
    if not isinstance(data, dict):
        return None
    values = [data.get(name) for name in ("userName", "sessionId", "token")]
    texts = [value for value in values if isinstance(value, str) and 0 < len(value) <= _LONGEST]
    return SessionToken(*texts) if len(texts) == len(values) else None
