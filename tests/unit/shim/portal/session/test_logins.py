from __future__ import annotations

import pytest

from anka_shim.portal.session.logins import keeps_cookies


@pytest.mark.parametrize(
    ("scheme", "host", "origin", "expected"),
    [
        ("http", b"anka.example.com", b"https://anka.example.com", True),
        ("https", b"anka.example.com", b"", True),
        ("https", b"anka.example.com", b"http://anka.example.com", False),
        ("http", b"anka.example.com", b"null", False),
        ("http", b"127.0.0.1.example.com", b"", False),
        ("http", b"127.0.0.1", b"", True),
        ("http", b"localhost:80", b"", True),
        ("http", b"demo.localhost:80", b"", True),
        ("http", b"", b"", False),
    ],
)
def test_keeps_cookies(scheme: str, host: bytes, origin: bytes, expected: bool) -> None:
    assert keeps_cookies({"scheme": scheme, "headers": [(b"host", host), (b"origin", origin)]}) is expected
