"""Hosts and ports, put together."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anka_runtime.addresses import bracket_host, is_http_url, join_host_port


@pytest.mark.parametrize(
    ("host", "port", "joined"),
    [
        ("mac.example", 5900, "mac.example:5900"),
        ("10.0.0.1", "443", "10.0.0.1:443"),
        ("fd00::1", 443, "[fd00::1]:443"),
        ("[fd00::1]", 443, "[fd00::1]:443"),
        ("fe80::1%en0", 80, "[fe80::1%en0]:80"),
    ],
)
def test_join(host: str, port: int | str, joined: str) -> None:
    assert join_host_port(host, port) == joined
    assert joined.startswith(bracket_host(host))


@given(address=st.ip_addresses(), port=st.integers(1, 65535))
def test_a_url_has_them_back(address: IPv4Address | IPv6Address, port: int) -> None:
    parts = urlsplit(f"https://{join_host_port(str(address), port)}/path")
    assert (parts.hostname, parts.port) == (str(address), port)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("http://registry:8089", True),
        ("https://[fd00::1]:6443/path", True),
        ("https://cluster.example", True),
        ("registry:8089", False),
        ("ftp://registry", False),
        ("http://", False),
        ("http://:8089", False),
        ("http://registry:80890", False),
        ("http://registry:port", False),
        ("http://[fd00::1", False),
        ("", False),
    ],
)
def test_a_url_of_a_host(text: str, expected: bool) -> None:
    assert is_http_url(text) is expected
    assert is_http_url(text, only_https=True) is (expected and text.startswith("https"))
