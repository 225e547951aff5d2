"""Whose word about a client is believed."""

from __future__ import annotations

import pytest

from anka_shim.access.trusted_proxies import TrustedProxies


@pytest.mark.parametrize(
    ("entries", "address", "expected"),
    [
        (["10.1.0.0/16"], "10.1.2.3", True),
        (["10.1.0.0/16"], "10.2.2.3", False),
        (["10.1.2.3"], "::ffff:10.1.2.3", True),
        (["fd00::/8", "::1"], "fd12::1", True),
        (["fd00::/8", "::1"], "::1", True),
        (["::1"], "127.0.0.1", False),
        (["*"], "10.1.2.3", False),
        ([], "127.0.0.1", False),
        (["10.1.0.0/16"], "", False),
        (["10.1.0.0/16"], "unix:", False),
    ],
)
def test_only_those_that_are_named(entries: list[str], address: str, expected: bool) -> None:
    assert TrustedProxies(entries).has(address) is expected
