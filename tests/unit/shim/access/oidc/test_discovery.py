"""A provider's own words: whom they are from, and where its keys are."""

from __future__ import annotations

from typing import Any

import pytest

from anka_shim.access.oidc.discovery import ProviderInfo, is_safe, parse_info

URL = "https://id.example.com/realms/a"
GOOD = {"issuer": URL, "jwks_uri": "https://keys.example.com/a"}


@pytest.mark.parametrize("issuer", [URL, f"{URL}/"])
def test_a_slash_at_the_end_is_no_other_provider(issuer: str) -> None:
    assert parse_info({**GOOD, "issuer": issuer}, URL) == ProviderInfo(issuer, GOOD["jwks_uri"])


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ([], "not a JSON object"),
        ({}, "it calls itself 'None'"),
        ({**GOOD, "issuer": "https://id.example.com"}, "it calls itself 'https://id.example.com'"),
        ({**GOOD, "issuer": f"{URL}//"}, "it calls itself"),
        ({**GOOD, "jwks_uri": None}, "jwks_uri"),
        ({**GOOD, "jwks_uri": "http://keys.example.com/a"}, "jwks_uri"),
        ({**GOOD, "jwks_uri": "file:///etc/passwd"}, "jwks_uri"),
    ],
)
def test_what_is_not_of_this_provider(document: Any, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        parse_info(document, URL)


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("https://a", True),
        ("http://127.0.0.1:5556/dex", True),
        ("http://[::1]/", True),
        ("http://localhost:1", True),
        ("http://localhost.example.com", False),
        ("http://10.0.0.1", False),
        ("https://", False),
        ("ftp://a", False),
        ("https://[", False),
        ("", False),
    ],
)
def test_where_nobody_can_listen_in(url: str, safe: bool) -> None:
    assert is_safe(url) is safe
