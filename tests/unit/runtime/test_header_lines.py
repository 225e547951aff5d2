"""Headers in a file."""

from __future__ import annotations

import pytest

from anka_runtime.header_lines import MOST_BYTES, parse_headers


def test_one_a_line() -> None:
    content = b"Authorization: Bearer a b c\n\nX-Team:\t x \r\nX-City: K\xf6ln\n"
    assert parse_headers(content) == {"Authorization": "Bearer a b c", "X-Team": "x", "X-City": "Köln"}


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"just-a-token", "line 1 is no header: it must be Name: value"),
        (b"A: b\nX Y: z", "line 2 is no header"),
        (b"A:", "line 1 is no header"),
        (b"A: b\x00c", "line 1 is no header"),
        (b"content-type: text/plain", "line 1: content-type is not yours to set"),
        (b"A: " + b"x" * MOST_BYTES, "may have 16384"),
    ],
)
def test_what_is_none_is_refused_without_its_value(content: bytes, says: str) -> None:
    with pytest.raises(ValueError, match=says) as refused:
        parse_headers(content)
    assert "just-a-token" not in str(refused.value)
