"""Secrets that come back to us inside of what others keep: nobody else can read them."""

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE_BYTES = 12
_PURPOSE = b"anka browser token"


def encrypt_token(token: str, key: bytes) -> str:
    """With a key of its own, derived from `key`."""
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return base64.b85encode(nonce + AESGCM(_derive(key)).encrypt(nonce, token.encode(), _PURPOSE)).decode()


def decrypt_token(encrypted: str, keys: Sequence[bytes]) -> str | None:
    """None for what none of the keys has encrypted."""
    try:
        data = base64.b85decode(encrypted)
    except (ValueError, binascii.Error):
        return None
    for key in keys:
        try:
            return AESGCM(_derive(key)).decrypt(data[:_NONCE_BYTES], data[_NONCE_BYTES:], _PURPOSE).decode()
        except (InvalidTag, ValueError):
            continue
    return None


def _derive(key: bytes) -> bytes:
    return hmac.digest(key, _PURPOSE, hashlib.sha256)
