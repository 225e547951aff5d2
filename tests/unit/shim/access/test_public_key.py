"""Public keys as clients send them, against the openssl of this machine where it makes them."""

from __future__ import annotations

import base64
import textwrap

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from anka_shim.access.public_key import encrypt, make_pair, normalize
from support.rsa_keys import PRIVATE, PUBLIC


def spki(key: rsa.RSAPublicKey | ec.EllipticCurvePublicKey) -> str:
    der = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(der).decode()


def test_one_line_lines_and_pem_are_the_same_key() -> None:
    assert len(PUBLIC) == 392
    body = "\n".join(textwrap.wrap(PUBLIC, 64))
    pem = f"-----BEGIN PUBLIC KEY-----\n{body}\n-----END PUBLIC KEY-----\n"
    for text in (PUBLIC, body, pem, pem.replace("\n", "\r\n")):
        assert normalize(text) == PUBLIC


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "must be the base64 text"),
        ("null", "must be the base64 text"),
        (PUBLIC[:-8], "must be the base64 text"),
        ("é" * 100, "must be the base64 text"),
        ("A" * 100_000, "must have at most 4096 characters"),
        (spki(rsa.RSAPublicNumbers(65537, (1 << 1023) + 9).public_key()), "must have 2048 to 8192 bits, not 1024"),
        (spki(rsa.RSAPublicNumbers(65537, (1 << 8200) + 9).public_key()), "must have 2048 to 8192 bits, not 8201"),
        (spki(rsa.RSAPublicNumbers((1 << 64) + 1, (1 << 2047) + 9).public_key()), "an exponent of at most 64 bits"),
        (spki(ec.generate_private_key(ec.SECP256R1()).public_key()), "must be an RSA key"),
    ],
)
def test_what_is_no_key_for_us(text: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        normalize(text)


def test_who_has_the_private_key_reads_it() -> None:
    answer = encrypt(b"x" * 50, PUBLIC)
    assert len(answer) == 344
    oaep = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
    assert PRIVATE.decrypt(base64.b64decode(answer), oaep) == b"x" * 50


def test_a_new_pair_belongs_together() -> None:
    private, public = make_pair()
    key = serialization.load_der_private_key(base64.b64decode(private), None)
    assert private.startswith("MII")
    assert isinstance(key, rsa.RSAPrivateKey)
    assert key.key_size == 2048
    assert spki(key.public_key()) == public == normalize(public)
