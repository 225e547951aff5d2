"""Guessing is limited; others, and those who know, are not."""

from __future__ import annotations

import pytest

from anka_shim.access.login_limiter import MOST_ADDRESSES, MOST_FAILURES, WINDOW_SECONDS, LoginLimiter
from support.manual_clock import ManualClock


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def logins(clock: ManualClock) -> LoginLimiter:
    return LoginLimiter(clock)


def guess(logins: LoginLimiter, address: str, count: int = MOST_FAILURES) -> None:
    for number in range(count):
        assert logins.retry_after(address, b"%d" % number) is None
        logins.note_failure(address, b"%d" % number)


def test_after_so_many_guesses_the_address_waits_for_the_rest_of_the_window(
    logins: LoginLimiter, clock: ManualClock
) -> None:
    guess(logins, "10.0.0.1")
    assert logins.retry_after("10.0.0.1", b"one more") == WINDOW_SECONDS
    clock.advance(WINDOW_SECONDS - 0.5)
    assert logins.retry_after("10.0.0.1", b"one more") == 1
    clock.advance(0.5)
    assert logins.retry_after("10.0.0.1", b"one more") is None


def test_others_are_not_hurt(logins: LoginLimiter) -> None:
    logins.note_success(b"known")
    guess(logins, "10.0.0.1")
    assert logins.retry_after("10.0.0.2", b"one more") is None
    assert logins.retry_after("10.0.0.1", b"known") is None, "who knew it before, from the same address"


def test_a_client_with_one_wrong_credential_guesses_nothing(logins: LoginLimiter) -> None:
    for _ in range(10 * MOST_FAILURES):
        assert logins.retry_after("10.0.0.1", b"of last year") is None
        logins.note_failure("10.0.0.1", b"of last year")
    assert logins.retry_after("10.0.0.1", b"the new one") is None


@pytest.mark.parametrize(
    ("first", "second", "is_one"),
    [
        ("2001:db8::1", "2001:db8::ffff:1", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:10.0.0.1", "10.0.0.1", True),
        ("a socket", "a socket", True),
        ("", "10.0.0.1", False),
    ],
)
def test_what_counts_as_one_address(logins: LoginLimiter, first: str, second: str, is_one: bool) -> None:
    guess(logins, first)
    assert (logins.retry_after(second, b"one more") is not None) == is_one


def test_memory_is_bounded(logins: LoginLimiter) -> None:
    for number in range(2 * MOST_ADDRESSES):
        logins.note_failure(f"host-{number}", b"x")
        logins.note_success(b"%d" % number)
    assert len(logins._failures) == MOST_ADDRESSES
    assert len(logins._accepted) < MOST_ADDRESSES
