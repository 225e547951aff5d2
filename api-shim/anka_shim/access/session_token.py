"""What a client sends after the handshake: base64 of a JSON object that it has written anew. Pure."""

import base64
import binascii
from dataclasses import dataclass

import orjson

_LONGEST = 512
"""Characters of each value."""


@dataclass(frozen=True, slots=True)
class SessionToken:
    user: str
    session: str
    token: str


def parse_session(bearer: str) -> SessionToken | None:
    """By its values: clients order the keys as they like, and print it in lines. None for anything else."""
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
