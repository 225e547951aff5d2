from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anka_shim.portal.stream.version import format_version, parse_version, reaches


@given(st.lists(st.integers(0, 10**19), min_size=1, max_size=4), st.text("0123456789abcdef", max_size=32))
def test_it_survives_the_browser(numbers: list[int], replica: str) -> None:
    text = format_version(numbers, replica)
    assert parse_version(text, len(numbers)) == (tuple(numbers), replica)
    assert parse_version(text, len(numbers) + 1) is None


@pytest.mark.parametrize("text", ["", "-", "1-", "-1", "1.5", "١", "1--2", "9" * 30, "1-2-3-4-5-6-7-8-9", "1@x", "@a"])
def test_what_is_no_version(text: str) -> None:
    assert all(parse_version(text, length) is None for length in range(1, 12))


def test_reaches() -> None:
    assert reaches((2, 2), (2, 1))
    assert not reaches((3, 0), (2, 1))
