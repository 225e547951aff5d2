from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from anka_shim.translate import values
from anka_shim.translate.failure import Failure

READ: list[tuple[Callable[..., Any], object, object]] = [
    (values.text, "abc", "abc"),
    (values.text, "", None),
    (values.text, None, None),
    (values.text, 17, "17"),
    (values.text, " x ", " x "),
    (values.number, 5, 5),
    (values.number, "5", 5),
    (values.number, " +5 ", 5),
    (values.number, 5.0, 5),
    (values.number, 0, 0),
    (values.number, "", None),
    (values.number, None, None),
    (values.positive, 0, None),
    (values.positive, "0", None),
    (values.positive, "7", 7),
    (values.boolean, True, True),
    (values.boolean, "true", True),
    (values.boolean, "FALSE", False),
    (values.boolean, 1, True),
    (values.boolean, 0, False),
    (values.boolean, "", None),
    (values.boolean, None, None),
    (values.mapping, {"a": 1}, {"a": 1}),
    (values.mapping, None, None),
    (values.metadata, {"a": 1, "b": True, "c": "d", "e": None}, {"a": 1, "b": True, "c": "d"}),
    (values.metadata, {}, None),
    (values.metadata, None, None),
]


@pytest.mark.parametrize(("reader", "given", "meant"), READ)
def test_what_is_meant(reader: Callable[..., Any], given: object, meant: object) -> None:
    assert reader({"p": given}, "p") == meant
    assert type(reader({"p": given}, "p")) is type(meant)


@pytest.mark.parametrize("reader", [values.text, values.number, values.positive, values.boolean, values.metadata])
def test_absent_is_not_given(reader: Callable[..., Any]) -> None:
    assert reader({}, "p") is None


WRONG: list[tuple[Callable[..., Any], object, str]] = [
    (values.text, True, "must be a string"),
    (values.text, 1.5, "must be a string"),
    (values.text, ["a"], "must be a string"),
    (values.text, "a\0b", "NUL"),
    (values.number, "five", "must be an integer"),
    (values.number, "1.5", "must be an integer"),
    (values.number, 1.5, "must be an integer"),
    (values.number, True, "must be an integer"),
    (values.number, "9" * 40, "must be an integer"),
    (values.number, [], "must be an integer"),
    (values.number, "٣", "must be an integer"),
    (values.positive, -1, "must not be negative"),
    (values.boolean, 2, "must be true or false"),
    (values.boolean, "maybe", "must be true or false"),
    (values.boolean, {}, "must be true or false"),
    (values.mapping, [], "must be an object"),
    (values.mapping, "x", "must be an object"),
    (values.metadata, {"a": {}}, "must be a string, integer or boolean"),
    (values.metadata, {"a": 1.5}, "must be a string, integer or boolean"),
    (values.metadata, {"": "x"}, "1 to 253"),
    (values.metadata, {"k" * 254: "x"}, "1 to 253"),
    (values.metadata, {"a": "\0"}, "NUL"),
    (values.metadata, {"a": 2**63}, "64 bits"),
    (values.metadata, {str(n): n for n in range(65)}, "at most 64"),
]


@pytest.mark.parametrize(("reader", "given", "says"), WRONG)
def test_what_cannot_be_meant_is_told_with_the_parameter(reader: Callable[..., Any], given: object, says: str) -> None:
    with pytest.raises(Failure) as caught:
        reader({"p": given}, "p")
    assert caught.value.message.startswith("p: ")
    assert says in caught.value.message
    assert "\n" not in caught.value.message
    assert len(caught.value.message) < 200


def test_choice_counts_from_zero() -> None:
    assert values.choice({"p": "1"}, "p", ("a", "b")) == "b"
    assert values.choice({}, "p", ("a", "b")) is None
    with pytest.raises(Failure, match="p: must be one of 0, 1"):
        values.choice({"p": 2}, "p", ("a", "b"))


@pytest.mark.parametrize(
    ("given", "wanted"),
    [(None, []), ("", []), ([], []), ("a", ["a"]), (["a", "", None, 7, "a"], ["a", "7"])],
)
def test_texts(given: object, wanted: list[str]) -> None:
    assert values.texts({"x": given}, "x") == wanted
