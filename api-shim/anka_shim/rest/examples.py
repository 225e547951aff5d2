"""Examples for the OpenAPI document, put together from those that the models of requests and answers have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Schema = Mapping[str, Any]

REF = "#/components/schemas/"


class NoExample(Exception):
    """Names the part of a schema that neither has an example nor can have but one value."""


def example(schema: Schema, schemas: Mapping[str, Schema], where: str = "") -> Any:
    """The schema's own example, else one made of its parts. Of what need not be there, only what has an example is.

    Raises NoExample.
    """
    if schema.get("examples"):
        return schema["examples"][0]
    if "$ref" in schema:
        name = schema["$ref"].removeprefix(REF)
        return example(schemas[name], schemas, f"{where}{name}")
    for key in ("const", "default"):
        if key in schema:
            return schema[key]
    options = schema.get("anyOf")
    if options:
        return example(next((item for item in options if item.get("type") != "null"), options[0]), schemas, where)
    match schema.get("type"):
        case "null":
            return None
        case "object" if "properties" in schema:
            found = {}
            for name, inner in schema["properties"].items():
                if (
                    name in schema.get("required", ())
                    or inner.get("examples")
                    or "const" in inner
                    or "default" in inner
                ):
                    found[name] = example(inner, schemas, f"{where}.{name}")
            return found
        case "array":
            return [example(schema["items"], schemas, f"{where}[]")]
    raise NoExample(where)


def named(schema: Schema, schemas: Mapping[str, Schema], message: str | None) -> dict[str, Any]:
    """Examples of an answer, one for each of the models that it may be. `message`: of the failure. Raises NoExample."""
    options = schema.get("anyOf", [schema])
    found = {}
    for option in options:
        name = option["$ref"].removeprefix(REF)
        value = example(option, schemas)
        if name == "Failed" and message:
            value = {**value, "message": message}
        found[name] = {"summary": "FAIL" if name == "Failed" else "OK", "value": value}
    return found
