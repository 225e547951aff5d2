"""RSA keys of API keys: read, used, made."""

import base64
import binascii
import re
from functools import lru_cache

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

FEWEST_BITS = 2048
MOST_BITS = 8192
MADE_BITS = 2048
"""Of keys that are made here. One of 4096 bits takes a busy core 14 s."""
_EXPONENT_BITS = 64
"""With a longer one, an encryption takes a hundred times as long."""
_LONGEST = 4096
"""Characters of a PEM file that are looked at; one of MOST_BITS has some 1,500."""
_ARMOUR = re.compile(r"-----(BEGIN|END) PUBLIC KEY-----")
_BLANKS = re.compile(r"\s+")
_OAEP = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
CACHED = 4096
"""Keys that are kept parsed."""


def normalize(text: str) -> str:
    """Base64 of the SubjectPublicKeyInfo in DER, in one line. ValueError says what is wrong with a text that is neither
    this, with line breaks or not, nor PEM; and with a key that is not RSA of FEWEST_BITS to MOST_BITS."""
    if len(text) > _LONGEST:
        raise ValueError(f"must have at most {_LONGEST} characters")
    key = _parse(_BLANKS.sub("", _ARMOUR.sub("", text)))
    return base64.b64encode(
        key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    ).decode()


def encrypt(secret: bytes, public_key: str) -> str:
    """Base64 of `secret` encrypted by RSA-OAEP (SHA-256, MGF1 with SHA-256, no label). ValueError as of `normalize`."""
    return base64.b64encode(_parse(public_key).encrypt(secret, _OAEP)).decode()


def make_pair() -> tuple[str, str]:
    """A new key: base64 of the private one (PKCS#1 in DER), and of the public one as `normalize` gives it. It takes up
    to a second."""
    key = rsa.generate_private_key(65537, MADE_BITS)
    private = key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(private).decode(), base64.b64encode(public).decode()


@lru_cache(CACHED)
def _parse(packed: str) -> rsa.RSAPublicKey:
    try:
        key = serialization.load_der_public_key(base64.b64decode(packed, validate=True))
    except (binascii.Error, ValueError, UnsupportedAlgorithm):
        raise ValueError("must be the base64 text of a PEM public key") from None
    if not isinstance(key, rsa.RSAPublicKey):
        raise ValueError("must be an RSA key")  # noqa: TRY004  # the text is wrong
    if not FEWEST_BITS <= key.key_size <= MOST_BITS:
        raise ValueError(f"must have {FEWEST_BITS} to {MOST_BITS} bits, not {key.key_size}")
    if key.public_numbers().e.bit_length() > _EXPONENT_BITS:
        raise ValueError(f"must have an exponent of at most {_EXPONENT_BITS} bits")
    return key
