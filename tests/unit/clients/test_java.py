from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from clients.java import JSONArray, JSONException, JSONObject, encoded

OBJECT = JSONObject({"null": None, "text": "a", "number": 7, "digits": "8", "half": 1.5, "yes": True, "list": [1, {}]})


@pytest.mark.parametrize(
    ("get", "expected"),
    [
        (lambda: OBJECT.get_string("text"), "a"),
        (lambda: OBJECT.get_int("number"), 7),
        (lambda: OBJECT.get_int("digits"), 8),
        (lambda: OBJECT.get_int("half"), 1),
        (lambda: OBJECT.has("null"), True),
        (lambda: OBJECT.is_null("null"), True),
        (lambda: OBJECT.is_null("missing"), True),
        (lambda: OBJECT.opt_string("null"), None),
        (lambda: OBJECT.opt_string("number"), "7"),
        (lambda: OBJECT.opt_int("text", 3), 3),
        (lambda: len(OBJECT.get_array("list")), 2),
    ],
)
def test_what_org_json_gives(get: Callable[[], Any], expected: Any) -> None:
    assert get() == expected


@pytest.mark.parametrize(
    "get",
    [
        lambda: OBJECT.get_string("missing"),
        lambda: OBJECT.get_string("null"),
        lambda: OBJECT.get_string("number"),
        lambda: OBJECT.get_int("text"),
        lambda: OBJECT.get_int("null"),
        lambda: OBJECT.get_int("yes"),
        lambda: OBJECT.get_object("null"),
        lambda: OBJECT.get_object("list"),
        lambda: OBJECT.get_array("null"),
        lambda: OBJECT.get_array("list").objects(),
        lambda: JSONArray([]).get_string(0),
        lambda: JSONArray([None]).get_string(0),
        lambda: JSONObject.parse(b"[]"),
        lambda: JSONObject.parse(b""),
        lambda: JSONObject.parse(b"<html>"),
    ],
)
def test_what_org_json_throws_at(get: Callable[[], Any]) -> None:
    with pytest.raises(JSONException):
        get()


def test_entities_are_latin_1() -> None:
    assert encoded({"a": "é"}) == b'{"a":"\xe9"}'
    assert encoded({"a": "日"}) == b'{"a":"?"}'
