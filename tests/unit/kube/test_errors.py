from __future__ import annotations

from typing import Any

import pytest

from anka_kube.errors import (
    AlreadyExists,
    ApiError,
    Conflict,
    Forbidden,
    Gone,
    Invalid,
    NotFound,
    ServerError,
    TooLarge,
    TooManyRequests,
    Unauthorized,
    Unreachable,
    can_retry,
    from_response,
    from_status,
    parse_retry_after,
)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        ({"code": 401}, Unauthorized),
        ({"code": 403}, Forbidden),
        ({"code": 404, "reason": "NotFound"}, NotFound),
        ({"code": 409, "reason": "Conflict"}, Conflict),
        ({"code": 409, "reason": "AlreadyExists"}, AlreadyExists),
        ({"code": 410, "reason": "Gone"}, Gone),
        ({"code": 410, "reason": "Expired"}, Gone),
        ({"code": 422}, Invalid),
        ({"code": 413}, TooLarge),
        ({"code": 500, "message": "etcdserver: request is too large"}, TooLarge),
        ({"code": 500, "message": "rpc error: trying to send message larger than max (2 vs. 1)"}, TooLarge),
        ({"code": 429}, TooManyRequests),
        ({"code": 500}, ServerError),
        ({"code": 504}, ServerError),
        ({"code": 400}, ApiError),
        ({}, ServerError),
        ({"code": "what"}, ServerError),
    ],
)
def test_each_status_has_its_type(status: dict[str, Any], kind: type[ApiError]) -> None:
    assert type(from_status(status)) is kind


def test_conflict_and_already_exists_are_different_things_to_a_caller() -> None:
    assert not isinstance(from_status({"code": 409, "reason": "AlreadyExists"}), Conflict)


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (
            from_status({"code": 404, "reason": "NotFound", "message": "no\n such"}, action="get /x"),
            "get /x: 404 NotFound: no such",
        ),
        (Unreachable("refused", sent=False, action="list /y"), "list /y: Unreachable: refused"),
        (from_response(502, {}, b"<html>\nbad gateway</html>"), "502 ServerError: <html> bad gateway</html>"),
        (from_response(503, {}, b""), "503 ServerError"),
        (from_response(500, {}, b"[1]"), "500 ServerError: [1]"),
    ],
)
def test_one_readable_line(error: ApiError, text: str) -> None:
    assert str(error) == text


@pytest.mark.parametrize(
    ("value", "seconds"),
    [(None, None), ("1", 1), ("0", None), ("-3", None), ("soon", None), ("nan", None), ("Wed, 21 Oct 2026", None)],
)
def test_retry_after_header(value: str | None, seconds: float | None) -> None:
    assert parse_retry_after(value) == seconds


@pytest.mark.parametrize("value", [300, 86_399, 1e300, "inf"])
def test_no_server_stops_us_for_long(value: float | str) -> None:
    assert from_status({"code": 429, "details": {"retryAfterSeconds": value}}).retry_after == 300
    assert from_response(429, {"Retry-After": str(value)}, b"").retry_after == 300


@pytest.mark.parametrize("value", [-1, 10**400, [1], None, {}], ids=lambda value: str(value)[:9])
def test_details_that_say_nothing(value: object) -> None:
    assert from_status({"code": 429, "details": {"retryAfterSeconds": value}}).retry_after is None


def test_retry_after_from_header_or_details() -> None:
    body = b'{"kind":"Status","details":{"retryAfterSeconds":7}}'
    assert from_response(429, {}, body).retry_after == 7
    assert from_response(429, {"Retry-After": "3"}, body).retry_after == 3
    assert from_response(429, {}, b"{}").retry_after is None


@pytest.mark.parametrize(
    ("error", "safe"),
    [
        (TooManyRequests(429, "", ""), True),
        (Unauthorized(401, "", ""), True),
        (Unreachable("", sent=False), True),
        (Unreachable("", sent=True), False),
        (ServerError(503, "", "", 1.0), True),
        (ServerError(503, "", ""), False),
        (ServerError(500, "", "", 1.0), False),
        (Conflict(409, "", ""), False),
    ],
)
def test_which_writes_surely_did_nothing(error: ApiError, safe: bool) -> None:
    assert error.surely_not_applied is safe


@pytest.mark.parametrize(
    ("error", "read", "write"),
    [
        (Unreachable("", sent=False), True, True),
        (Unreachable("", sent=True), True, False),
        (TooManyRequests(429, "", ""), True, True),
        (ServerError(503, "", "", 1.0), True, True),
        (ServerError(503, "", ""), True, False),
        (ServerError(500, "", ""), True, False),
        (NotFound(404, "", ""), False, False),
        (Conflict(409, "", ""), False, False),
        (ApiError(400, "", ""), False, False),
    ],
)
def test_what_may_be_sent_again(error: ApiError, read: bool, write: bool) -> None:
    assert can_retry(error, read=True) is read
    assert can_retry(error, read=False) is write
