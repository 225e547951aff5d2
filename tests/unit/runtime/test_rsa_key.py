"""Private keys of people's own making."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)

from anka_runtime.rsa_key import parse_rsa_key


def pem(
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey,
    form: PrivateFormat = PrivateFormat.PKCS8,
    encryption: KeySerializationEncryption | None = None,
) -> bytes:
    return key.private_bytes(Encoding.PEM, form, encryption or NoEncryption())


GOOD = rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.mark.parametrize("form", [PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL])
def test_both_forms(form: PrivateFormat) -> None:
    assert parse_rsa_key(pem(GOOD, form)).public_key().public_numbers() == GOOD.public_key().public_numbers()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is not a private key in PEM"),
        (b"\xff" * 100, "is not a private key in PEM"),
        (pem(GOOD)[:400], "is not a private key in PEM"),
        (pem(GOOD, encryption=BestAvailableEncryption(b"word")), "without a passphrase"),
        (pem(ec.generate_private_key(ec.SECP256R1())), "is not an RSA key of at least 2048 bits"),
        (pem(rsa.generate_private_key(public_exponent=65537, key_size=1024)), "is not an RSA key of at least"),
    ],
    ids=["empty", "binary", "cut off", "encrypted", "elliptic", "short"],
)
def test_what_is_none(content: bytes, says: str) -> None:
    with pytest.raises(ValueError, match=says) as error:
        parse_rsa_key(content)
    assert len(str(error.value)) < 80, "no content of the file"
