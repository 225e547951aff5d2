from __future__ import annotations

from typing import Any

import pytest

from clients.failing import Broken
from clients.typescript import UNDEFINED, JsTypeError, items, maybe, parse, prop, same, text, truthy


@pytest.mark.parametrize("value", [None, UNDEFINED])
def test_nothing_has_no_properties(value: Any) -> None:
    with pytest.raises(JsTypeError, match="Cannot read properties of"):
        prop(value, "x")
    assert maybe(value, "x", "y") is UNDEFINED


def test_properties() -> None:
    assert prop({"x": 1}, "x") == 1
    assert prop({}, "x") is prop("text", "x") is prop(5, "x") is UNDEFINED
    assert maybe({"x": {"y": 2}}, "x", "y") == 2
    assert maybe({"x": None}, "x", "y") is UNDEFINED


@pytest.mark.parametrize(
    ("value", "expected"),
    [("", False), (0, False), (None, False), (UNDEFINED, False), (False, False), ("0", True), ([], True), ({}, True)],
)
def test_truthiness(value: Any, expected: bool) -> None:
    assert truthy(value) is expected


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (22, 22, True),
        (22.0, 22, True),
        ("22", 22, False),
        (True, 1, False),
        (None, UNDEFINED, False),
        ("a", "a", True),
        ("OK", "ok", False),
    ],
)
def test_strict_equality(one: Any, other: Any, expected: bool) -> None:
    assert same(one, other) is expected


@pytest.mark.parametrize("value", [None, UNDEFINED, {}, 7])
def test_not_iterable(value: Any) -> None:
    with pytest.raises(JsTypeError, match="body is not iterable"):
        items(value, "body")


def test_text_and_json() -> None:
    assert (text(None), text(UNDEFINED), text("x")) == ("null", "undefined", "x")
    with pytest.raises(Broken, match="SyntaxError"):
        parse(b"<html>")
