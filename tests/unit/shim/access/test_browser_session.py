"""A cookie says who somebody is, for as long as it says, and nothing else is a session."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from anka_shim.access.browser_session import SESSION_COOKIE, BrowserSessions, read_cookie
from anka_shim.http.authentication import LoginMethod, Principal
from support.manual_clock import ManualClock

KEYS = [b"1" * 32, b"2" * 32]
ADA = Principal("Ada Lovelace, é", groups=frozenset({"ios", "mac team"}), method=LoginMethod.OIDC)


def headers(value: str) -> list[tuple[bytes, bytes]]:
    return [(b"host", b"a"), (b"cookie", f"other=1; {SESSION_COOKIE}={value}".encode())]


async def test_who_is_logged_in_until_when() -> None:
    clock = ManualClock()
    sessions = BrowserSessions(lambda: KEYS, clock)
    value = sessions.make(ADA, int(clock.now().timestamp()) + 60)
    clock.advance(59)
    assert await sessions.authenticate(headers(value)) == ADA
    clock.advance(1)
    assert await sessions.authenticate(headers(value)) is None


async def test_a_key_may_be_replaced() -> None:
    clock = ManualClock()
    until = int(clock.now().timestamp()) + 60
    value = BrowserSessions(lambda: KEYS[1:], clock).make(ADA, until)
    assert await BrowserSessions(lambda: KEYS, clock).authenticate(headers(value)) == ADA
    assert await BrowserSessions(lambda: KEYS[:1], clock).authenticate(headers(value)) is None


def test_more_groups_than_fit() -> None:
    clock = ManualClock()
    groups = frozenset(f"{number * 7919:x} {number * 104729:x}" for number in range(2000))
    with pytest.raises(ValueError, match="2000 groups are too long for a cookie"):
        BrowserSessions(lambda: KEYS, clock).make(Principal("Ada", groups=groups, method=LoginMethod.OIDC), 1)


@settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.binary(max_size=200))
async def test_any_cookie_is_read(value: bytes) -> None:
    sessions = BrowserSessions(lambda: KEYS, ManualClock())
    for text in (value, SESSION_COOKIE.encode() + b"=" + value):
        assert await sessions.authenticate([(b"cookie", text)]) is None


def test_cookies_of_several_headers() -> None:
    assert read_cookie([(b"cookie", b"a=1"), (b"cookie", b"b=2")], "b") == "2"
    assert read_cookie([(b"cookie", b"a=1")], "b") is None
    assert read_cookie([], "b") is None
