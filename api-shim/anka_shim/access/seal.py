"""Short texts that only a replica of this shim can have made, and every replica can check: nothing is stored. Pure."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

NONCE_BYTES = 16
_TIME_BYTES = 5
_MAC_BYTES = 16
_TEXT = -(-8 * (NONCE_BYTES + _TIME_BYTES + _MAC_BYTES) // 6)
"""Characters of a sealed text."""

Purpose = Literal["handshake", "session", "login", "browser"]


@dataclass(frozen=True, slots=True)
class Seal:
    """`nonce`: NONCE_BYTES, another for each. `until`: seconds since 1970."""

    nonce: bytes
    until: int


def close(seal: Seal, purpose: Purpose, facts: Sequence[str], key: bytes) -> str:
    """URL-safe characters without padding: clients put them into JSON unescaped. `facts` are what it vouches for."""
    content = seal.nonce + seal.until.to_bytes(_TIME_BYTES, "big")
    return base64.urlsafe_b64encode(content + _mac(key, content, purpose, facts)).rstrip(b"=").decode()


def reopen(text: str, purpose: Purpose, facts: Sequence[str], keys: Sequence[bytes], now: float) -> Seal | None:
    """None for what none of the keys has closed over these facts for this purpose, and from `until` on."""
    if len(text) != _TEXT:
        return None
    seal = _reopen(text, purpose, tuple(facts), tuple(keys))
    return seal if seal is not None and now < seal.until else None


# A session is shown with each of its requests: whether it is ours is reckoned once.
@lru_cache(maxsize=2048)
def _reopen(text: str, purpose: Purpose, facts: tuple[str, ...], keys: tuple[bytes, ...]) -> Seal | None:
    try:
        data = base64.b64decode(text.encode("ascii") + b"=" * (-_TEXT % 4), altchars=b"-_", validate=True)
    except (UnicodeEncodeError, binascii.Error):
        return None
    content, mac = data[:-_MAC_BYTES], data[-_MAC_BYTES:]
    # All keys are tried: the time does not tell which was right.
    matches = [hmac.compare_digest(mac, _mac(key, content, purpose, facts)) for key in keys]
    seal = Seal(content[:NONCE_BYTES], int.from_bytes(content[NONCE_BYTES:], "big"))
    # The last character has bits that count for nothing: one text only stands for each seal.
    is_exact = base64.urlsafe_b64encode(data).rstrip(b"=").decode() == text
    return seal if any(matches) and is_exact else None


def _mac(key: bytes, content: bytes, purpose: Purpose, facts: Sequence[str]) -> bytes:
    """Each part with its length: no two lists of facts are the same bytes."""
    parts = (purpose.encode(), content, *(fact.encode("utf-8", "surrogatepass") for fact in facts))
    message = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
    return hmac.digest(key, message, hashlib.sha256)[:_MAC_BYTES]
