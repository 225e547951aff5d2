"""The OpenAPI document: what each endpoint takes and gives, described once, beside the endpoint."""

from __future__ import annotations

import contextlib
from types import GenericAlias
from typing import Any, Literal

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel, TypeAdapter

from anka_shim.rest import examples
from anka_shim.schema.envelope import Failed

REF = examples.REF + "{model}"
FAILS = "x-fails"
"""Where a description keeps the message of its failure until the document is made."""

_TAKEN: dict[str, Any] = {}
_GIVEN: dict[str, Any] = {}


def described(
    tag: str,
    summary: str,
    *,
    gives: Any,
    takes: type[BaseModel] | None = None,
    parameters: list[dict[str, Any]] | None = None,
    fails: str = "starting up, try again in a moment: not read from the Kubernetes API yet",
) -> dict[str, Any]:
    """Arguments for a route whose handler reads the request itself, whatever its Content-Type (hazard 1).

    `fails`: a message that is typical of the endpoint, as an example.
    """
    _GIVEN[repr(gives)] = gives
    extra: dict[str, Any] = {FAILS: fails}
    if parameters:
        extra["parameters"] = parameters
    if takes is not None:
        _TAKEN[repr(takes)] = takes
        schema = {"$ref": REF.format(model=takes.__name__)}
        extra["requestBody"] = {
            "description": "JSON in any Content-Type, UTF-8 or ISO-8859-1. Unknown fields are ignored.",
            "required": bool(takes.model_json_schema().get("required")),
            "content": {"application/json": {"schema": schema}},
        }
    return {
        "tags": [tag],
        "summary": summary,
        "response_model": None,
        "responses": {
            200: {"description": "Done, or FAIL with the reason in `message`.", "model": gives},
            503: {"description": "Too many requests at a time: try again.", "model": Failed},
        },
        "openapi_extra": extra,
    }


def document(app: FastAPI, description: str) -> dict[str, Any]:
    """Made once, when it is first asked for."""
    made = get_openapi(title=app.title, version=app.version, description=description, routes=app.routes)
    schemas = made.setdefault("components", {}).setdefault("schemas", {})
    # FastAPI knows nothing of the first, and leaves nulls out of the examples of the second.
    for taken in _TAKEN.values():
        schemas.update(_models(taken, "validation"))
    for given in _GIVEN.values():
        schemas.update(_models(given, "serialization"))
    for operation in (operation for methods in made["paths"].values() for operation in methods.values()):
        _add_examples(operation, schemas)
    return made


def _models(union: Any, mode: Literal["validation", "serialization"]) -> dict[str, Any]:
    """Schemas by name of this model, or of all in this union, and of what is in them."""
    # In a list, a single model is a definition, too.
    listed: Any = GenericAlias(list, (union,))
    found: dict[str, Any] = TypeAdapter(listed).json_schema(ref_template=REF, mode=mode)["$defs"]
    return found


def _add_examples(operation: dict[str, Any], schemas: dict[str, Any]) -> None:
    fails = operation.pop(FAILS, None)
    if fails is None:
        return
    taken = operation.get("requestBody", {}).get("content", {})
    for content in taken.values():
        given = schemas[content["schema"]["$ref"].removeprefix(examples.REF)].get("examples", [])
        content["examples"] = {str(number): {"value": value} for number, value in enumerate(given, 1)}
    messages = {"200": fails, "503": "too many requests at a time: try again"}
    for code, answer in operation["responses"].items():
        for content in answer["content"].values():
            # One that lacks an example is no reason to have no document: a test finds it.
            with contextlib.suppress(examples.NoExample):
                content["examples"] = examples.named(content["schema"], schemas, messages[code])
