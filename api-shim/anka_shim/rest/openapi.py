"""The OpenAPI document: what each endpoint takes and gives, described once, beside the endpoint."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel, TypeAdapter

REF = "#/components/schemas/{model}"

_TAKEN: dict[str, type[BaseModel]] = {}


def described(
    tag: str,
    summary: str,
    *,
    gives: Any,
    takes: type[BaseModel] | None = None,
    parameters: list[dict[str, Any]] | None = None,
) -> dict[str, Any]:
    """Arguments for a route whose handler reads the request itself, whatever its Content-Type (hazard 1)."""
    extra: dict[str, Any] = {}
    if parameters:
        extra["parameters"] = parameters
    if takes is not None:
        _TAKEN[takes.__name__] = takes
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
        "responses": {200: {"description": "Done, or FAIL with the reason in `message`.", "model": gives}},
        "openapi_extra": extra,
    }


def document(app: FastAPI, description: str) -> dict[str, Any]:
    """Made once, when it is first asked for."""
    made = get_openapi(title=app.title, version=app.version, description=description, routes=app.routes)
    schemas = made.setdefault("components", {}).setdefault("schemas", {})
    for model in _TAKEN.values():
        schema = TypeAdapter(model).json_schema(ref_template=REF)
        schemas.update(schema.pop("$defs", {}))
        schemas[model.__name__] = schema
    return made
