"""A token's own words are read, and nothing that is no token breaks it."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from anka_shim.access.unverified_token import UnverifiedToken, parse_unverified
from support.jwt import raw_token


def test_what_a_token_says() -> None:
    text = raw_token({"iss": "https://a", "exp": 12})
    assert parse_unverified(text) == UnverifiedToken(text, "https://a", 12.0)


@pytest.mark.parametrize("expires", [None, True, "12", [12]])
def test_a_time_that_is_none_is_left_out(expires: Any) -> None:
    found = parse_unverified(raw_token({"iss": "a", "exp": expires}))
    assert found is not None
    assert found.expires is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "a.b.c",
        "..",
        "e30.e30.",
        "e30.e30.c.d",
        raw_token([]),
        raw_token({}),
        raw_token({"iss": 1}),
        raw_token({"iss": ""}),
        raw_token({"iss": "a" * 3000}),
        "e30.é.c",
        base64.b64encode(json.dumps({"userName": "u", "sessionId": "s", "token": "t"}).encode()).decode(),
    ],
)
def test_what_is_no_token(text: str) -> None:
    assert parse_unverified(text) is None


FEW = settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))


@FEW
@given(st.text() | st.builds("{}.{}.{}".format, st.text(), st.text(), st.text()))
def test_any_text_is_read(text: str) -> None:
    found = parse_unverified(text)
    assert found is None or found.text == text


@FEW
@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), st.lists))
def test_any_claims_are_read(value: Any) -> None:
    for claims in (value, {"iss": value}, {"iss": "a", "exp": value}):
        parse_unverified(raw_token(claims))
