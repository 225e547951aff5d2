from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from clients import golang
from clients.golang import ZERO_TIME, DecodeError, Int, Panic, Uint, unmarshal


@dataclass
class Inner:
    port: Int = 0


@dataclass
class Outer:
    text: str = ""
    count: Uint = 0
    share: float = 0.0
    on: bool = False
    at: datetime = ZERO_TIME
    words: list[str] = field(default_factory=list)
    rules: list[Inner] = field(default_factory=list)
    value: Inner = field(default_factory=Inner)
    pointer: Inner | None = None


def decoded(**fields: Any) -> Outer:
    return unmarshal(json.dumps(fields).encode(), Outer)


def test_a_whole_struct() -> None:
    found = decoded(
        text="a", count=1, share=2, on=True, at="2026-01-24T11:51:56.5+02:00", words=["x"], rules=[{"port": 22}],
        value={"port": -1}, pointer={}, unknown=1,
    )  # fmt: skip
    assert found.at == datetime(2026, 1, 24, 9, 51, 56, 500_000, UTC)
    assert (found.rules, found.value, found.pointer) == ([Inner(22)], Inner(-1), Inner(0))
    assert (found.text, found.count, found.share, found.on, found.words) == ("a", 1, 2.0, True, ["x"])


def test_null_and_missing_leave_the_zero_value() -> None:
    nulls = dict.fromkeys(("text", "count", "share", "on", "at", "words", "rules", "value", "pointer"))
    assert decoded(**nulls) == decoded() == Outer()
    assert decoded(words=[None], rules=[None]) == Outer(words=[""], rules=[Inner()])


def test_case_of_keys_does_not_matter() -> None:
    assert decoded(TEXT="a").text == "a"


@pytest.mark.parametrize(
    "fields",
    [
        {"text": 1},
        {"text": {}},
        {"count": -1},
        {"count": 1.0},
        {"count": "1"},
        {"count": True},
        {"count": 1 << 64},
        {"share": "0.5"},
        {"on": 1},
        {"on": "true"},
        {"at": ""},
        {"at": "2026-01-24 11:51:56"},
        {"at": "2026-01-24T11:51:56"},
        {"at": 1727208044},
        {"words": "x"},
        {"words": [1]},
        {"words": {}},
        {"rules": [{"port": "22"}]},
        {"value": []},
        {"pointer": "x"},
        {"pointer": {"port": 2.5}},
    ],
    ids=str,
)
def test_any_other_type_is_an_error(fields: dict[str, Any]) -> None:
    with pytest.raises(DecodeError, match=next(iter(fields))):
        decoded(**fields)


@pytest.mark.parametrize("raw", [b"", b"{", b"<html>", b"{} {}", b'{"share": NaN}', b"[]", b'"x"'])
def test_no_json_or_no_object(raw: bytes) -> None:
    with pytest.raises(DecodeError):
        unmarshal(raw, Outer)


def test_panics() -> None:
    with pytest.raises(Panic, match="nil pointer"):
        golang.deref(None, "x")
    with pytest.raises(Panic, match="out of range"):
        golang.first([], "x")
    assert (golang.deref(1, "x"), golang.first([2], "x")) == (1, 2)
