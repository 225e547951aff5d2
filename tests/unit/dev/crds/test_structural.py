"""pydantic's JSON schema as the apiserver takes it."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal, Optional

import pytest
from pydantic import BaseModel, ConfigDict, Field

from anka_dev.crds.structural import UnsupportedSchemaError, structural


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


class Inner(BaseModel):
    """For programmers."""

    model_config = ConfigDict(json_schema_extra={"x-kubernetes-validations": [{"rule": "inner"}]})

    port: int


class Node(BaseModel):
    children: "list[Node]" = []


class Sample(BaseModel):
    text: str
    short: Annotated[str, Field(min_length=1, max_length=3, pattern="^a$")]
    number: int = 5
    real: float = 0.5
    flag: bool = False
    when: datetime
    maybe: str | None = None
    maybe_old: Optional[Annotated[int, Field(ge=1, le=9)]] = None  # noqa: UP045 - both spellings
    above: Annotated[int, Field(gt=0)]
    below: Annotated[float, Field(lt=1.5)]
    colour: Colour = Field(default=Colour.RED, description="A colour.")
    word: Literal["a", "b"]
    only: Literal["x"]
    inner: Inner = Field(description="For people.")
    maybe_inner: Inner | None = Field(default=None, json_schema_extra={"x-kubernetes-validations": [{"rule": "outer"}]})
    inners: list[Inner] = Field(default_factory=list, max_length=7)
    unique: set[str] = set()
    labels: dict[str, str] = {}
    anything: dict[str, Any] | None = Field(default=None, max_length=4)
    any: Any = None
    either: int | str = 0
    old: str = Field(default="", deprecated=True, examples=["x"])
    in_words: Annotated[str, Field(pattern="^a+$", json_schema_extra={"x-anka-pattern-message": "must be many a"})] = (
        "a"
    )
    quoted: Annotated[str, Field(pattern="^'$", json_schema_extra={"x-anka-pattern-message": "must be '"})] = "'"
    also: str = Field(
        default="",
        pattern="^b$",
        json_schema_extra={
            "x-anka-pattern-message": "must be b",
            "x-anka-pattern-also": "true",
            "x-kubernetes-validations": [{"rule": "more"}],
        },
    )


INT = {"type": "integer", "format": "int64"}
INNER = {
    "type": "object",
    "required": ["port"],
    "properties": {"port": INT},
    "x-kubernetes-validations": [{"rule": "inner"}],
}

CASES: dict[str, dict[str, Any]] = {
    "text": {"type": "string"},
    "short": {"type": "string", "pattern": "^a$", "minLength": 1, "maxLength": 3},
    "number": {**INT, "default": 5},
    "real": {"type": "number", "default": 0.5},
    "flag": {"type": "boolean", "default": False},
    "when": {"type": "string", "format": "date-time"},
    "maybe": {"type": "string"},
    "maybe_old": {**INT, "minimum": 1, "maximum": 9},
    "above": {**INT, "minimum": 0, "exclusiveMinimum": True},
    "below": {"type": "number", "maximum": 1.5, "exclusiveMaximum": True},
    "colour": {"description": "A colour.", "type": "string", "default": "red", "enum": ["red", "blue"]},
    "word": {"type": "string", "enum": ["a", "b"]},
    "only": {"type": "string", "enum": ["x"]},
    "inner": {"description": "For people.", **INNER},
    "maybe_inner": {**INNER, "x-kubernetes-validations": [{"rule": "inner"}, {"rule": "outer"}]},
    "inners": {"type": "array", "maxItems": 7, "items": INNER},
    "unique": {"type": "array", "default": [], "items": {"type": "string"}, "x-kubernetes-list-type": "set"},
    "labels": {"type": "object", "default": {}, "additionalProperties": {"type": "string"}},
    "anything": {
        "type": "object",
        "maxProperties": 4,
        "additionalProperties": {"x-kubernetes-preserve-unknown-fields": True},
    },
    "any": {"x-kubernetes-preserve-unknown-fields": True},
    "either": {"default": 0, "x-kubernetes-int-or-string": True},
    "old": {"type": "string", "default": ""},
    "in_words": {
        "type": "string",
        "default": "a",
        "x-kubernetes-validations": [{"rule": "self.matches(r'^a+$')", "message": "must be many a"}],
    },
    "quoted": {
        "type": "string",
        "default": "'",
        "x-kubernetes-validations": [{"rule": """self.matches(r"^'$")""", "message": "must be '"}],
    },
    "also": {
        "type": "string",
        "default": "",
        "x-kubernetes-validations": [
            {"rule": "self.matches(r'^b$') && true", "message": "must be b"},
            {"rule": "more"},
        ],
    },
}
SCHEMA = structural(Sample.model_json_schema())


@pytest.mark.parametrize("name", Sample.model_fields)
def test_field(name: str) -> None:
    assert SCHEMA["properties"][name] == CASES[name]


def test_required_fields_are_those_without_default() -> None:
    assert SCHEMA["type"] == "object"
    assert SCHEMA["required"] == ["text", "short", "when", "above", "below", "word", "only", "inner"]


def test_keys_have_a_fixed_order() -> None:
    short = {"maxLength": 3, "x-kubernetes-b": 1, "type": "string", "x-kubernetes-a": 1, "description": "d"}
    assert list(structural(short)) == ["description", "type", "maxLength", "x-kubernetes-a", "x-kubernetes-b"]


def test_forbidding_extra_fields_is_left_to_pruning() -> None:
    class Strict(BaseModel):
        model_config = ConfigDict(extra="forbid")
        a: str

    assert structural(Strict.model_json_schema()) == {
        "type": "object",
        "required": ["a"],
        "properties": {"a": {"type": "string"}},
    }


def test_the_input_is_left_as_it_is() -> None:
    before = Sample.model_json_schema()
    structural(before)
    assert before == Sample.model_json_schema()


class Pair(BaseModel):
    pair: tuple[int, str]


class Choice(BaseModel):
    choice: Inner | str


class Keys(BaseModel):
    deep: list[dict[Annotated[str, Field(pattern="^a$")], str]]


@pytest.mark.parametrize(
    ("model", "says"),
    [
        (Pair, r"^pair: a union or tuple: use an object of optional fields and a CEL rule$"),
        (Choice, r"^choice: a union: use an object of optional fields and a CEL rule$"),
        (Keys, r"^deep\[\]: 'patternProperties' has no place in a structural schema: use a CEL rule$"),
        (Node, r"^children\[\]: Node contains itself"),
    ],
)
def test_what_cannot_be_said_is_refused(model: type[BaseModel], says: str) -> None:
    with pytest.raises(UnsupportedSchemaError, match=says):
        structural(model.model_json_schema())
