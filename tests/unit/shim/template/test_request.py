from __future__ import annotations

from typing import Any

import pytest

from anka_shim.failure import Failure
from anka_shim.template.request import RevertOptions, RevertTemplate, VersionChoice, read_revert
from support.rest import read


def revert(data: dict[str, Any]) -> RevertOptions:
    """The same from the body as from the query."""
    from_query = read_revert(read(VersionChoice, data), RevertTemplate())
    assert read_revert(VersionChoice(), read(RevertTemplate, data)) == from_query
    return from_query


@pytest.mark.parametrize(
    ("data", "wanted"),
    [
        ({}, RevertOptions()),
        ({"tag": "", "number": "", "version": None}, RevertOptions()),
        ({"tag": "v1"}, RevertOptions(tag="v1")),
        ({"number": "0"}, RevertOptions(number=0)),
        ({"version": 3}, RevertOptions(number=3)),
        ({"number": "1", "version": "2"}, RevertOptions(number=1)),
    ],
)
def test_revert(data: dict[str, Any], wanted: RevertOptions) -> None:
    assert revert(data) == wanted


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ({"tag": "v1", "number": "0"}, "tag and number exclude each other: give one of them"),
        ({"number": "x"}, "number: must be an integer (given: 'x')"),
        ({"version": "-1"}, "number: must not be negative (given: -1)"),
        ({"tag": ["v1"]}, "tag: must be a string (given: ['v1'])"),
    ],
)
def test_revert_that_is_refused(data: dict[str, Any], says: str) -> None:
    with pytest.raises(Failure) as caught:
        revert(data)
    assert caught.value.message == says


def test_what_the_query_has_counts() -> None:
    body = read(RevertTemplate, {"tag": "v1", "number": 4})
    assert read_revert(read(VersionChoice, {"tag": "", "number": "3"}), body) == RevertOptions(number=3)
    assert read_revert(read(VersionChoice, {"number": ""}), body) == RevertOptions(tag="v1")
