from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import pytest
from pydantic import Field
from pydantic_core import PydanticCustomError

from anka_shim.failure import Failure
from anka_shim.http import parameter_types as lenient
from anka_shim.http.request import RequestModel
from support.rest import read

READ: list[tuple[Callable[..., Any], object, object]] = [
    (lenient.read_text, "abc", "abc"),
    (lenient.read_text, "", None),
    (lenient.read_text, None, None),
    (lenient.read_text, 17, "17"),
    (lenient.read_text, " x ", " x "),
    (lenient.read_integer, 5, 5),
    (lenient.read_integer, "5", 5),
    (lenient.read_integer, " +5 ", 5),
    (lenient.read_integer, 5.0, 5),
    (lenient.read_integer, 0, 0),
    (lenient.read_integer, "", None),
    (lenient.read_integer, None, None),
    (lenient.read_positive, 0, None),
    (lenient.read_positive, "0", None),
    (lenient.read_positive, "7", 7),
    (lenient.read_flag, True, True),
    (lenient.read_flag, "true", True),
    (lenient.read_flag, "FALSE", False),
    (lenient.read_flag, 1, True),
    (lenient.read_flag, 0, False),
    (lenient.read_flag, "", None),
    (lenient.read_flag, None, None),
    (lenient.read_object, {"a": 1}, {"a": 1}),
    (lenient.read_object, None, None),
    (lenient.read_metadata, {"a": 1, "b": True, "c": "d", "e": None}, {"a": 1, "b": True, "c": "d"}),
    (lenient.read_metadata, {}, None),
    (lenient.read_metadata, None, None),
]


@pytest.mark.parametrize(("reader", "given", "meant"), READ)
def test_what_is_meant(reader: Callable[..., Any], given: object, meant: object) -> None:
    assert reader(given) == meant
    assert type(reader(given)) is type(meant)


WRONG: list[tuple[Callable[..., Any], object, str]] = [
    (lenient.read_text, True, "must be a string"),
    (lenient.read_text, 1.5, "must be a string"),
    (lenient.read_text, ["a"], "must be a string"),
    (lenient.read_text, "a\0b", "NUL"),
    (lenient.read_integer, "five", "must be an integer"),
    (lenient.read_integer, "1.5", "must be an integer"),
    (lenient.read_integer, 1.5, "must be an integer"),
    (lenient.read_integer, True, "must be an integer"),
    (lenient.read_integer, "9" * 40, "must be an integer"),
    (lenient.read_integer, [], "must be an integer"),
    (lenient.read_integer, "٣", "must be an integer"),
    (lenient.read_positive, -1, "must not be negative"),
    (lenient.read_flag, 2, "must be true or false"),
    (lenient.read_flag, "maybe", "must be true or false"),
    (lenient.read_flag, {}, "must be true or false"),
    (lenient.read_object, [], "must be an object"),
    (lenient.read_object, "x", "must be an object"),
    (lenient.read_metadata, {"a": {}}, "must be a string, integer or boolean"),
    (lenient.read_metadata, {"a": 1.5}, "must be a string, integer or boolean"),
    (lenient.read_metadata, {"": "x"}, "1 to 253"),
    (lenient.read_metadata, {"k" * 254: "x"}, "1 to 253"),
    (lenient.read_metadata, {"a": "\0"}, "NUL"),
    (lenient.read_metadata, {"a": 2**63}, "64 bits"),
    (lenient.read_metadata, {str(n): n for n in range(65)}, "at most 64"),
]


@pytest.mark.parametrize(("reader", "given", "says"), WRONG)
def test_what_makes_no_sense_is_refused_in_one_short_line(reader: Callable[..., Any], given: object, says: str) -> None:
    with pytest.raises(PydanticCustomError) as caught:
        reader(given)
    message = caught.value.message()
    assert says in message
    assert "\n" not in message
    assert len(message) < 200


class Parameters(RequestModel):
    choice: Annotated[str | None, lenient.choice("a", "b")] = None
    short: Annotated[str | None, lenient.max_length(3)] = None
    secret: lenient.Secret = None
    vlan: lenient.Vlan = None
    script: lenient.Base64 = None
    long_script: Annotated[str | None, lenient.max_base64(8)] = None
    capitals: lenient.Capitals = None
    texts: lenient.Texts = Field(default_factory=list)


@pytest.mark.parametrize(
    ("name", "given", "meant"),
    [
        ("choice", "1", "b"),
        ("choice", 0, "a"),
        ("choice", None, None),
        ("short", "abc", "abc"),
        ("short", "", None),
        ("vlan", 17, "17"),
        ("vlan", "0", None),
        ("script", "ZWNo\r\nbyBoaQo=\n", "ZWNobyBoaQo="),
        ("script", "", None),
        ("script", "\r\n", None),
        ("long_script", "QUJD", "QUJD"),
        ("capitals", " 00:1a ", "00:1A"),
    ],
)
def test_types(name: str, given: object, meant: object) -> None:
    assert getattr(read(Parameters, {name: given}), name) == meant
    assert read(Parameters, {}) == Parameters()


@pytest.mark.parametrize(
    ("name", "given", "message"),
    [
        ("choice", 2, "choice: must be one of 0, 1 (given: 2)"),
        ("choice", "x", "choice: must be an integer (given: 'x')"),
        ("short", "abcd", "short: must have at most 3 characters (given: 'abcd')"),
        ("secret", ["geheim"], "secret: must be a string"),
        ("vlan", 5000, "vlan: must be a number from 1 to 4094 (given: 5000)"),
        ("script", "%", "illegal base64 data at input byte 0"),
        ("long_script", "A" * 9, "long_script: must have at most 8 characters of base64"),
        ("texts", 1, "texts: must be an array of strings (given: 1)"),
        ("texts", ["a", ["b"]], "texts[1]: must be a string (given: ['b'])"),
    ],
)
def test_messages_name_the_parameter(name: str, given: object, message: str) -> None:
    with pytest.raises(Failure) as caught:
        read(Parameters, {name: given})
    assert caught.value.message == message


def test_a_type_documents_what_it_takes() -> None:
    schema = Parameters.model_json_schema()["properties"]
    assert {option["type"] for option in schema["vlan"]["anyOf"]} == {"integer", "string", "null"}
    assert schema["short"]["anyOf"][0]["maxLength"] == 3


@pytest.mark.parametrize(
    ("given", "wanted"),
    [(None, []), ("", []), ([], []), ("a", ["a"]), (["a", "", None, 7, "a"], ["a", "7"])],
)
def test_texts(given: object, wanted: list[str]) -> None:
    assert lenient.read_texts(given) == wanted
