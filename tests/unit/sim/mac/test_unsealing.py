"""What a registry has sealed for an API key."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from anka_sim.mac.unsealing import unseal
from anka_sim.registry.access import seal


def test_both_ways_to_give_the_key(tmp_path: Path) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "key").write_bytes(pem)
    sealed = seal(key.public_key(), "secret")
    assert unseal(sealed, pem.decode()) == unseal(sealed, str(tmp_path / "key")) == "secret"
    other = ec.generate_private_key(ec.SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    for wrong in (sealed[:-8], b"", b"%%%"):
        with pytest.raises(ValueError, match=r".*"):
            unseal(wrong, pem.decode())
    with pytest.raises(ValueError, match="not an RSA key"):
        unseal(sealed, other.decode())
