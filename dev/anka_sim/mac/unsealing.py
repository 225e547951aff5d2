"""Opening of what a registry has sealed for an API key. Apart: only a command that has a key pays for the import."""

from __future__ import annotations

import base64
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key


def unseal(sealed: bytes, key: str) -> str:
    """`key`: PEM, or the path of a file with it. Raises ValueError, OSError."""
    pem = key.encode() if key.startswith("-----") else Path(key).read_bytes()
    private = load_pem_private_key(pem, None)
    if not isinstance(private, RSAPrivateKey):
        raise ValueError("not an RSA key")  # noqa: TRY004 - of what was read
    return private.decrypt(base64.b64decode(sealed), OAEP(MGF1(SHA256()), SHA256(), None)).decode()
