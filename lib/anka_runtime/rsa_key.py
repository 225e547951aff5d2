"""RSA private keys in PEM, as the old controller and its clients store API keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

SMALLEST_BITS = 2048


def parse_rsa_key(pem: bytes) -> RSAPrivateKey:
    """PKCS#1 or PKCS#8, without a passphrase. ValueError, in words without any of the content."""
    # Only processes that have a key pay for the import.
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError):
        raise ValueError("is not a private key in PEM without a passphrase") from None
    except Exception:  # cryptography's own UnsupportedAlgorithm is no ValueError
        raise ValueError("is not a private key that can be used") from None
    if not isinstance(key, RSAPrivateKey) or key.key_size < SMALLEST_BITS:
        raise ValueError(f"is not an RSA key of at least {SMALLEST_BITS} bits")
    return key
