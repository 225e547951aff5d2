"""The Authorization header."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anka_shim.access.credential import BasicCredential, BearerCredential, find_header, parse


def basic(text: str) -> bytes:
    return base64.b64encode(text.encode())


@pytest.mark.parametrize(
    ("header", "meant"),
    [
        (b"Basic " + basic("root:secret"), BasicCredential("root", b"secret")),
        (b"bASIC   " + basic(":secret"), BasicCredential("", b"secret")),
        (b"Basic " + basic("root:with:colons: and blanks "), BasicCredential("root", b"with:colons: and blanks ")),
        (b"Basic " + basic("root:é☃"), BasicCredential("root", "é☃".encode())),
        (b"Basic " + base64.b64encode(b"root:\xff\x00"), BasicCredential("root", b"\xff\x00")),
        (b"Bearer abc.def-ghi", BearerCredential("abc.def-ghi")),
        (b"BEARER e30=", BearerCredential("e30=")),
    ],
)
def test_what_is_meant(header: bytes, meant: object) -> None:
    assert parse(header) == meant


@pytest.mark.parametrize(
    "header",
    [
        b"", b"Basic", b"Basic ", b"Bearer", b"Bearer  ", b"Digest x", b"Basic ?", b"Basic " + basic("no colon"),
        b"Basic " + base64.b64encode(b"\xff:x"), b"Bearer \xe9", b"Bearer " + b"x" * 50_000, b"secret",
    ],
)  # fmt: skip
def test_what_is_no_credential(header: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the caller gives no reason away either
        parse(header)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_credential_or_a_value_error(header: bytes) -> None:
    for text in (header, b"Basic " + header, b"Bearer " + header, b"Basic " + base64.b64encode(header)):
        try:
            parse(text)
        except ValueError:
            continue


def test_one_header_at_most() -> None:
    assert find_header([(b"host", b"x")]) is None
    assert find_header([(b"authorization", b"x"), (b"host", b"y")]) == b"x"
    with pytest.raises(ValueError, match="more than one"):
        find_header([(b"authorization", b"x"), (b"authorization", b"x")])
