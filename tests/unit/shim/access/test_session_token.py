"""Clients write the session anew: it is read by its values. Anything else is no session, and no error."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anka_shim.access.session_token import SessionToken, parse_session

DATA = {"userName": "Büro 1", "sessionId": "s-1", "token": "t_-1"}
WRONG: tuple[Any, ...] = (None, 1, "", [], {}, "x" * 513)
WANTED = SessionToken("Büro 1", "s-1", "t_-1")


def pack(text: str | bytes) -> str:
    return base64.b64encode(text.encode() if isinstance(text, str) else text).decode()


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(DATA),
        json.dumps(DATA, indent=2) + "\n",
        json.dumps(dict(reversed(DATA.items())), separators=(",", ":"), ensure_ascii=False),
        json.dumps({**DATA, "fromTheFuture": [1]}),
    ],
)
def test_as_clients_write_it(text: str) -> None:
    packed = pack(text)
    for bearer in (packed, packed.rstrip("="), packed.replace("+", "-").replace("/", "_")):
        assert parse_session(bearer) == WANTED


@pytest.mark.parametrize(
    "text",
    [
        *("null", "[]", "1", "{}", "", '{"userName": "a"', b"\xff\xfe", "[" * 5000),
        *(json.dumps({**DATA, name: value}) for name in DATA for value in WRONG),
    ],
)
def test_what_is_none(text: str | bytes) -> None:
    assert parse_session(pack(text)) is None


@given(st.text())
def test_any_text(text: str) -> None:
    assert parse_session(text) is None


@given(st.dictionaries(st.sampled_from([*DATA, "x"]), st.none() | st.integers() | st.text(max_size=5)))
def test_any_object(data: dict[str, Any]) -> None:
    found = parse_session(pack(json.dumps(data)))
    is_whole = all(isinstance(data.get(name), str) and data[name] for name in DATA)
    assert (found is not None) == is_whole
