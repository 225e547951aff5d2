"""The language of shapes: that it takes what it should is worth nothing unless it refuses what it should."""

from __future__ import annotations

from typing import Any

import pytest

from support.contract.shape import LEAVES, BadShape, check, problems

NAMED = {
    "pair": {"id": "uuid", "name": "string | null", "size?": "uint"},
    "words": ["text"],
    "rows": [{"$use": "pair"}],
}
ID = "c983c3bf-a0c0-43dc-54dc-2fd9f7d62fce"


def wrong(shape: Any, value: Any) -> list[str]:
    return list(problems(shape, value, NAMED))


TAKEN: dict[str, list[Any]] = {
    "null": [None],
    "bool": [True, False],
    "int": [0, -1, 2**40],
    "uint": [0, 7],
    "port": [1, 22, 65535],
    "amount": [0, 7, 1.5],
    "fraction": [0, 1, 0.5],
    "scalar": ["", "x", 1, True],
    "string": ["", "x"],
    "text": ["x"],
    "uuid": [ID],
    "rfc3339": ["2019-12-25T16:06:04.658586219Z", "2024-01-24T11:51:56-05:00", "0001-01-01T00:00:00Z"],
    "epoch": [0, 1727209082],
    "url": ["http://anka.registry:8089", "https://r/x"],
    "state": ["Scheduling", "Started", "Terminated"],
    "node state": ["Active", "Offline", "Drain Mode", "Inactive (Invalid License)"],
    "arch": ["amd64", "arm64"],
}
REFUSED: dict[str, list[Any]] = {
    "null": ["", 0, False],
    "bool": [0, 1, "true", None],
    "int": [True, 1.0, "1", None],
    "uint": [-1, 1.0, "1", True, None],
    "port": [0, 65536, "22", None],
    "amount": [-0.1, 1.0, True, "0", float("inf"), None],
    "fraction": [-0.1, 1.1, 0.0, 1.0, True, "0", float("nan"), None],
    "scalar": [None, 1.5, [], {}],
    "string": [None, 1, []],
    "text": ["", " ", None],
    "uuid": ["", "macos-15", ID.upper(), "{" + ID + "}", None],
    "rfc3339": ["", "2024-01-24", "2024-01-24 11:51:56Z", "2024-13-01T00:00:00Z", "2024-01-24T11:51:56", 17, None],
    "epoch": [1, -5, 1727209082000, 1727209082.5, "1727209082", None],
    "url": ["", "anka.registry", "http://", None],
    "state": ["started", "Pending", "Running", "", None],
    "node state": ["active", "Ready", "", None],
    "arch": ["x86_64", "", None],
}  # fmt: skip


def test_every_word_has_its_table() -> None:
    assert TAKEN.keys() == REFUSED.keys() == LEAVES.keys()


@pytest.mark.parametrize(("word", "value"), [(word, value) for word, values in TAKEN.items() for value in values])
def test_words_take(word: str, value: Any) -> None:
    assert wrong(word, value) == []


@pytest.mark.parametrize(("word", "value"), [(word, value) for word, values in REFUSED.items() for value in values])
def test_words_refuse(word: str, value: Any) -> None:
    assert len(wrong(word, value)) == 1


FITTING: list[tuple[Any, Any]] = [
    ("string | null", None),
    ({"a": "int"}, {"a": 1}),
    ({"a?": "int"}, {}),
    ({"a?": "int"}, {"a": 1}),
    ({"a!": None}, {}),
    ({"a": "int", "$open": True}, {"a": 1, "b": 2}),
    (["int"], []),
    (["int"], [1, 2]),
    ({"$items": ["int", "string"]}, [1, ""]),
    ({"$every": "int", "$min": 2, "$max": 2}, [1, 2]),
    ({"$some": {"$is": 2}}, [1, "x", 2]),
    ({"$none": {"$is": 2}}, [1, 3]),
    ({"$none": {"$is": 2}}, []),
    ({"$map": "int"}, {}),
    ({"$map": "int"}, {"x": 1}),
    ({"$or": ["null", ["int"]]}, None),
    ({"$or": ["null", ["int"]]}, [1]),
    ({"$is": [1]}, [1]),
    ({"$is": None}, None),
    ({"$like": "v[0-9]+"}, "v12"),
    ({"$use": "pair"}, {"id": ID, "name": None}),
    ({"$use": "rows"}, [{"id": ID, "name": "", "size": 3}]),
    ({"$use": "pair", "$with": {"name": {"$is": "x"}}}, {"id": ID, "name": "x"}),
    ({"$use": "pair", "$with": {"size": "uint"}}, {"id": ID, "name": "x", "size": 1}),
    ({"$use": "pair", "$with": {"name!": None}}, {"id": ID}),
]
FAILING: list[tuple[Any, Any, str]] = [
    ("string | null", 1, "the answer: is not string | null: 1"),
    ({"a": "int"}, {}, ".a: is missing"),
    ({"a": "int"}, {"a": None}, ".a: is not int: None"),
    ({"a": "int"}, {"a": 1, "b": 2}, ".b: is not expected: 2"),
    ({"a?": "int"}, {"a": None}, ".a: is not int: None"),
    ({"a!": None}, {"a": None}, ".a: must be absent: None"),
    ({"a": "int", "$open": False}, {"a": 1, "b": 2}, ".b: is not expected: 2"),
    ({"a": "int"}, [], "the answer: is not an object: []"),
    (["int"], [1, "x"], "[1]: is not int: 'x'"),
    (["int"], {}, "the answer: is not an array: {}"),
    ({"$items": ["int"]}, [], "the answer: has 0 items, not 1 to 1"),
    ({"$items": ["int", "string"]}, ["", 1], "[0]: is not int: ''"),
    ({"$every": "int", "$min": 1}, [], "the answer: has 0 items, not 1 to inf"),
    ({"$every": "int", "$max": 1}, [1, 2], "the answer: has 2 items, not 0 to 1"),
    ({"$some": {"$is": 2}}, [1], "the answer: has no item like {'$is': 2}: [1]"),
    ({"$some": {"$is": 2}}, None, "the answer: is not an array: None"),
    ({"$none": {"$is": 2}}, [1, 2], "the answer: has an item like {'$is': 2}: 2"),
    ({"$map": "int"}, {"x": "1"}, ".x: is not int: '1'"),
    ({"$map": "int"}, [], "the answer: is not an object: []"),
    (
        {"$or": ["null", ["int"]]},
        [""],
        "the answer: is none of 2 shapes: the answer: is not null: ['']; or [0]: is not int: ''",
    ),
    ({"$is": 1}, True, "the answer: is not 1: True"),
    ({"$is": 1}, 1.0, "the answer: is not 1: 1.0"),
    ({"$is": "x"}, "X", "the answer: is not 'x': 'X'"),
    ({"$like": "v[0-9]+"}, "v12x", "the answer: is not like v[0-9]+: 'v12x'"),
    ({"$like": "x"}, None, "the answer: is not like x: None"),
    ({"a": {"b": ["int"]}}, {"a": {"b": [None]}}, ".a.b[0]: is not int: None"),
    ({"$use": "pair"}, {"id": ID}, ".name: is missing"),
    ({"$use": "rows"}, [{"id": ID, "name": "", "surprise": 1}], "[0].surprise: is not expected: 1"),
    ({"$use": "pair", "$with": {"size": "uint"}}, {"id": ID, "name": "x"}, ".size: is missing"),
    ({"$use": "pair", "$with": {"name!": None}}, {"id": ID, "name": "x"}, ".name: must be absent: 'x'"),
]


@pytest.mark.parametrize(("shape", "value"), FITTING)
def test_fits(shape: Any, value: Any) -> None:
    assert wrong(shape, value) == []
    check(shape, NAMED)


@pytest.mark.parametrize(("shape", "value", "problem"), FAILING)
def test_does_not_fit(shape: Any, value: Any, problem: str) -> None:
    assert problem in wrong(shape, value)
    check(shape, NAMED)


@pytest.mark.parametrize(
    "shape",
    [
        "strin",
        "string | nul",
        7,
        None,
        [],
        ["int", "int"],
        {"a": "nope"},
        {"a?": ["nope"]},
        {"a": "int", "a?": "int"},
        {"$use": "unknown"},
        {"$use": "words", "$with": {"x": "int"}},
        {"$use": "pair", "$with": {"nmae": "string"}},
        {"$is": 1, "$like": "x"},
        {"$map": "int", "a": "int"},
        {"$every": "int", "$least": 1},
        {"$nope": 1},
        {"$some": {"a": "nope"}},
        {"$items": ["int", "nope"]},
        {"$map": {"a": ["nope"]}},
        {"$or": ["null", ["nope"]]},
    ],
)
def test_a_wrong_shape_is_found_without_an_answer(shape: Any) -> None:
    with pytest.raises(BadShape):
        check(shape, NAMED)
