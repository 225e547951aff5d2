"""Types of request parameters, which read what old clients send: numbers as text, null, empty or 0 for "not given".

A type reads, checks and documents one parameter. "Not given" is None, or an empty list. It raises an error for what
makes no sense, and `request.describe` prefixes the name of the parameter.
"""

import math
import re
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

from anka_crds.api.fields import ARGUMENT, DESCRIPTION, IS_ARGUMENT, IS_DESCRIPTION, IS_LINE, LINE, PATTERN_MESSAGE
from anka_crds.api.limits import MAX_LABEL, MAX_TEXT
from anka_crds.rules.scripts import Base64Error, decode_script
from anka_shim.failure import Failure, quote

ERROR = "lenient"
"""Type of the errors raised here. Their message is complete except for the parameter's name."""

_INTEGER = re.compile(r"[+-]?[0-9]{1,18}")
_WORDS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


def wrong(text: str, *, place: str = "") -> PydanticCustomError:
    """`place` is added to the name of the parameter: `[2]` for the third of a list."""
    return PydanticCustomError(ERROR, "{text}", {"text": text, "place": place})


def wrong_value(what: str, value: object, *, place: str = "") -> PydanticCustomError:
    return wrong(f"{what} (given: {quote(value)})", place=place)


def read_text(value: object) -> str | None:
    """A text, as given; a number is taken as its digits. Empty counts as not given."""
    if value is None or value == "":
        return None
    if isinstance(value, str):
        if "\0" in value:
            raise wrong_value("must not contain NUL characters", value)
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise wrong_value("must be a string", value)


def read_secret(value: object) -> str | None:
    """A text that no message may quote: messages are logged."""
    try:
        return read_text(value)
    except PydanticCustomError as error:
        raise wrong((error.context or {})["text"].split(" (given: ")[0]) from None


def read_capitals(value: object) -> str | None:
    text = read_text(value)
    return text.strip().upper() if text else None


def read_integer(value: object) -> int | None:
    """Also as text, or as a float without a fraction. 0 is kept."""
    if isinstance(value, str):
        stripped = value.strip()
        if not stripped:
            return None
        if _INTEGER.fullmatch(stripped):
            return int(stripped)
        raise wrong_value("must be an integer", stripped)
    if value is None:
        return None
    if isinstance(value, float) and math.isfinite(value) and value.is_integer():
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise wrong_value("must be an integer", value)


def read_positive(value: object) -> int | None:
    """An integer where 0 means the default."""
    number = read_integer(value)
    if number is not None and number < 0:
        raise wrong_value("must not be negative", number)
    return number or None


def read_flag(value: object) -> bool | None:
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return value
    if isinstance(value, int) and value in (0, 1):
        return bool(value)
    if isinstance(value, str) and value.strip().lower() in _WORDS:
        return _WORDS[value.strip().lower()]
    raise wrong_value("must be true or false", value)


def read_vlan(value: object) -> str | None:
    vlan = read_integer(value)
    if not vlan:
        return None
    if not 1 <= vlan <= 4094:
        raise wrong_value("must be a number from 1 to 4094", vlan)
    return str(vlan)


def read_base64(value: object, max_length: int | None = None) -> str | None:
    """Base64 without line breaks. Raises Failure with the old controller's message, which names no parameter."""
    content = read_text(value)
    if content is None:
        return None
    packed = content.replace("\n", "").replace("\r", "")
    if max_length is not None and len(packed) > max_length:
        raise wrong(f"must have at most {max_length} characters of base64")
    try:
        decode_script(content)
    except Base64Error as error:
        raise Failure(str(error)) from None
    return packed or None


def read_object(value: object) -> dict[str, Any] | None:
    """An empty object counts as not given."""
    if value is None or value == "":
        return None
    if not isinstance(value, dict):
        raise wrong_value("must be an object", value)
    return value or None


def read_texts(value: object) -> list[str]:
    """An array of texts; a single text is an array of one. Empty ones and duplicates are dropped."""
    if value is None or value == "":
        return []
    if isinstance(value, str):
        value = [value]
    if not isinstance(value, list):
        raise wrong_value("must be an array of strings", value)
    found: dict[str, None] = {}
    for position, item in enumerate(value):
        try:
            text = read_text(item)
        except PydanticCustomError as error:
            raise wrong((error.context or {})["text"], place=f"[{position}]") from None
        if text is not None:
            found[text] = None
    return list(found)


def read_metadata(value: object) -> dict[str, str | int | bool] | None:
    """Key-value pairs: keys of 1 to 253 characters; values strings, integers or booleans. None if empty."""
    pairs = read_object(value) or {}
    for key, item in pairs.items():
        if not 1 <= len(key) <= 253 or "\0" in key:
            raise wrong_value("keys must have 1 to 253 characters and no NUL", key)
        if not isinstance(item, str | int | bool | None):
            raise wrong_value(f"value of {quote(key)} must be a string, integer or boolean", item)
        if isinstance(item, str) and "\0" in item:
            raise wrong_value(f"value of {quote(key)} must not contain NUL characters", item)
        if isinstance(item, int) and not -(2**63) <= item < 2**63:
            raise wrong_value(f"value of {quote(key)} must fit in 64 bits", item)
    if len(pairs) > 64:
        raise wrong(f"at most 64 keys (given: {len(pairs)})")
    return {key: item for key, item in pairs.items() if item is not None} or None


def read_short(value: object, most: int) -> str | None:
    text = read_text(value)
    if text is not None and len(text) > most:
        raise wrong_value(f"must have at most {most} characters", text)
    return text


def max_length(most: int) -> BeforeValidator:
    """A text of at most this many characters."""

    return BeforeValidator(
        lambda value: read_short(value, most), json_schema_input_type=Annotated[str, Field(max_length=most)] | None
    )


def line(most: int, pattern: str, words: Mapping[str, Any]) -> BeforeValidator:
    """A text of at most this many characters that matches a pattern of the custom resources."""
    expression = re.compile(pattern)

    def read(value: object) -> str | None:
        text = read_short(value, most)
        if text is not None and not expression.fullmatch(text):
            raise wrong_value(words[PATTERN_MESSAGE], text)
        return text

    return BeforeValidator(read, json_schema_input_type=Annotated[str, Field(max_length=most)] | None)


def max_items(most: int, what: str) -> BeforeValidator:
    """Texts, at most this many."""

    def read(value: object) -> list[str]:
        texts = read_texts(value)
        if len(texts) > most:
            raise wrong(f"at most {most} {what} (given: {len(texts)})")
        return texts

    return BeforeValidator(read, json_schema_input_type=Annotated[list[str], Field(max_length=most)] | None)


def max_base64(most: int) -> BeforeValidator:
    """Base64 of at most this many characters."""
    return BeforeValidator(lambda value: read_base64(value, most), json_schema_input_type=str | None)


def choice(*options: str) -> BeforeValidator:
    """The number of one of these words, 0 for the first."""

    def read(value: object) -> str | None:
        number = read_integer(value)
        if number is None:
            return None
        if not 0 <= number < len(options):
            raise wrong_value(f"must be one of {', '.join(map(str, range(len(options))))}", number)
        return options[number]

    return BeforeValidator(read, json_schema_input_type=int | str | None)


def require(text: str) -> BeforeValidator:
    """Refuses a parameter that is not given, with this text."""

    def read(value: object) -> object:
        if value is None or value == []:
            raise wrong(text)
        return value

    return BeforeValidator(read)


Text = Annotated[str | None, BeforeValidator(read_text, json_schema_input_type=str | None)]
Digits = Annotated[str | None, BeforeValidator(read_text, json_schema_input_type=str | int | None)]
"""A text that is often all digits, which some clients send as a number."""

Label = Annotated[str | None, max_length(MAX_LABEL)]
"""A text that is looked up: unknown ones are told as such, whatever they look like."""
NAME = line(MAX_LABEL, ARGUMENT, IS_ARGUMENT)
Name = Annotated[str | None, NAME]
"""A name to give."""
Title = Annotated[str | None, line(MAX_TEXT, LINE, IS_LINE)]
Description = Annotated[str | None, line(MAX_TEXT, DESCRIPTION, IS_DESCRIPTION)]
LongText = Annotated[str | None, max_length(MAX_TEXT)]
Secret = Annotated[str | None, BeforeValidator(read_secret, json_schema_input_type=str | None)]
Capitals = Annotated[str | None, BeforeValidator(read_capitals, json_schema_input_type=str | None)]
Integer = Annotated[int | None, BeforeValidator(read_integer, json_schema_input_type=int | str | None)]
Positive = Annotated[int | None, BeforeValidator(read_positive, json_schema_input_type=int | str | None)]
Flag = Annotated[bool | None, BeforeValidator(read_flag, json_schema_input_type=bool | int | str | None)]
Vlan = Annotated[str | None, BeforeValidator(read_vlan, json_schema_input_type=int | str | None)]
Base64 = Annotated[str | None, BeforeValidator(read_base64, json_schema_input_type=str | None)]
Metadata = Annotated[
    dict[str, str | int | bool] | None,
    BeforeValidator(read_metadata, json_schema_input_type=dict[str, str | int | bool | None] | None),
]
Texts = Annotated[list[str], BeforeValidator(read_texts, json_schema_input_type=list[str] | None)]

# Of parameters that must be given: `Annotated[str, required("is required, …"), TEXT]`.
TEXT = BeforeValidator(read_text, json_schema_input_type=str)
POSITIVE = BeforeValidator(read_positive, json_schema_input_type=int | str)
CAPITALS = BeforeValidator(read_capitals, json_schema_input_type=str)
TEXTS = BeforeValidator(read_texts, json_schema_input_type=Annotated[list[str], Field(min_length=1)])
