from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anka_shim.failure import Failure
from anka_shim.http import body


@pytest.mark.parametrize(
    ("raw", "data"),
    [
        (b"", {}),
        (b" \r\n\t ", {}),
        (b"{}", {}),
        (b'\xef\xbb\xbf{"a": 1}', {"a": 1}),
        ('{"name": "Zürich"}'.encode(), {"name": "Zürich"}),
        ('{"name": "Zürich é"}'.encode("iso-8859-1"), {"name": "Zürich é"}),
        (b'{"a": 1, "a": 2}', {"a": 2}),
    ],
)
def test_what_is_read(raw: bytes, data: dict[str, object]) -> None:
    assert body.parse(raw) == data


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"vmid=1&tag=2", "not valid JSON"),
        (b'{"a": ', "not valid JSON"),
        (b'{"a": NaN}', "not valid JSON"),
        (b'{"a": 1e999}', "not valid JSON"),
        (b'{"a": "\\ud800"}', "not valid JSON"),
        (b"[" * 100_000, "not valid JSON"),
        (b'{"a":' * 100_000, "not valid JSON"),
        (b"\x00", "not valid JSON"),
        (b"\xff\xfe{\x00}\x00", "not valid JSON"),
        (b"[]", "must be a JSON object, not an array"),
        (b'"x"', "must be a JSON object, not a string"),
        (b"null", "must be a JSON object, not null"),
        (b"true", "must be a JSON object, not a boolean"),
        (b"1.5", "must be a JSON object, not a number"),
    ],
)
def test_what_is_refused(raw: bytes, says: str) -> None:
    with pytest.raises(Failure) as caught:
        body.parse(raw)
    assert says in caught.value.message
    assert "\n" not in caught.value.message


@given(st.binary(max_size=200))
def test_any_bytes_are_an_object_or_a_failure(raw: bytes) -> None:
    try:
        data: object = body.parse(raw)
    except Failure as failure:
        data = {"failure": failure.message}
    assert isinstance(data, dict)
    assert data.get("failure", "the request body ").startswith("the request body ")


@pytest.mark.parametrize(("raw", "data"), [(b"[]", []), (b' [1, {"a": "b"}] ', [1, {"a": "b"}])])
def test_an_array(raw: bytes, data: list[object]) -> None:
    assert body.parse(raw, list) == data


@pytest.mark.parametrize(
    ("raw", "says"), [(b"", "is empty"), (b" ", "is empty"), (b"{}", "a JSON array, not an object")]
)
def test_what_is_no_array(raw: bytes, says: str) -> None:
    with pytest.raises(Failure, match=says):
        body.parse(raw, list)
