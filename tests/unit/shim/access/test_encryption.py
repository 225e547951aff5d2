from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from anka_shim.access.encryption import decrypt_token, encrypt_token

KEYS = [b"1" * 32, b"2" * 32]


@given(st.text(max_size=200))
def test_only_who_has_the_key_reads_it(token: str) -> None:
    encrypted = encrypt_token(token, KEYS[1])
    assert decrypt_token(encrypted, KEYS) == token
    assert decrypt_token(encrypted, KEYS[:1]) is None
    assert token not in encrypted or len(token) < 3
    assert encrypt_token(token, KEYS[1]) != encrypted


@given(st.text(max_size=100))
def test_anything_else_is_none(text: str) -> None:
    assert decrypt_token(text, KEYS) is None
