"""What all answers share: the base of their models, the envelope as a model, and how they become JSON. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal, Self, get_origin

import orjson
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    PlainSerializer,
    WithJsonSchema,
    create_model,
)
from pydantic.fields import FieldInfo
from pydantic_core import CoreSchema

from anka_shim.times import epoch, rfc3339


@dataclass(frozen=True)
class ConversionMarker:
    """Annotates a field: how `of` makes its value."""

    convert: Callable[[Any], Any]


def _as_go_writes(number: float) -> int | float:
    """Go writes 0 and 1 without a fraction, and clients that type such a number as an integer break on 0.0."""
    whole = int(number)
    return whole if whole == number else number


Ratio = Annotated[
    float,
    PlainSerializer(_as_go_writes, return_type=int | float),
    WithJsonSchema({"type": "number", "minimum": 0, "maximum": 1}),
]
"""From 0 to 1."""

Amount = Annotated[
    float,
    PlainSerializer(_as_go_writes, return_type=int | float),
    WithJsonSchema({"type": "number", "minimum": 0}),
]
"""A measured number. These two are the only numbers of answers that are not integers."""

Time = Annotated[str, ConversionMarker(rfc3339)]
Epoch = Annotated[int, ConversionMarker(epoch)]
_EMPTY: Mapping[Any, Any] = {str: "", int: 0, list: []}


def _conversion(field: FieldInfo) -> Callable[[Any], Any]:
    for mark in field.metadata:
        if isinstance(mark, ConversionMarker):
            return mark.convert
    empty: Any = _EMPTY.get(get_origin(field.annotation) or field.annotation)
    return lambda value: empty if value is None else value


class Answer(BaseModel):
    """A field without a default is always present; one that has its default value is left out. So a field may be
    absent, null or empty, and its declaration says which. Build with `model_construct`: mypy has checked the types, and
    an object that the API has must be shown, whatever is in it."""

    model_config = ConfigDict(extra="forbid")

    conversions: ClassVar[Mapping[str, Callable[[Any], Any]]] = {}

    @classmethod
    def __pydantic_init_subclass__(cls, **_: Any) -> None:
        cls.conversions = {name: _conversion(field) for name, field in cls.model_fields.items()}

    @classmethod
    def of(cls, source: object, **given: Any) -> Self:
        """Made from the source's fields of the same names; null becomes the empty value. `given`: other values."""
        for name, convert in cls.conversions.items():
            if name not in given:
                given[name] = convert(getattr(source, name))
        return cls.model_construct(**given)  # type: ignore[return-value]  # the plugin knows no Self


class OmissionMarker:
    """Annotates a field with default None: it is left out and never null, which the schema does not show otherwise."""

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        schema = handler(core)
        inner: dict[str, Any] = schema.get("schema", schema)
        options = [option for option in inner.get("anyOf", ()) if option != {"type": "null"}]
        return options[0] if len(options) == 1 else schema


class Failed(Answer):
    """What any request may get instead, with HTTP 200."""

    status: Literal["FAIL"]
    message: str = Field(description="Why, in words for people.", examples=["Not found"])


class Succeeded(Answer):
    status: Literal["OK"]
    message: Literal[""]


def make_ok(name: str, body: Any, **documented: Any) -> type[Succeeded]:
    """The model of an envelope with this body; the OpenAPI document has it under this name."""
    return create_model(name, __base__=Succeeded, body=(body, Field(**documented)))


class Ok(Succeeded):
    """Done, with nothing more to say."""


def to_json(answer: Any) -> bytes:
    """An answer, a list of them, or plain JSON."""
    if isinstance(answer, Answer):
        return answer.__pydantic_serializer__.to_json(answer, exclude_defaults=True)
    if isinstance(answer, list):
        return b"[" + b",".join(map(to_json, answer)) + b"]"
    return orjson.dumps(answer, default=_fields)


def _fields(answer: Any) -> dict[str, Any]:
    if not isinstance(answer, Answer):
        raise TypeError(type(answer).__name__)
    return answer.model_dump(exclude_defaults=True)
