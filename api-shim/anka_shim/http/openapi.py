"""What routes declare about their answers, for FastAPI's OpenAPI document, and the examples in it."""

from collections.abc import Iterator
from enum import Enum
from importlib.resources import files
from typing import Any, Literal, Union, get_args, get_origin

import orjson
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from anka_shim.http.answer import Failed, Ok

Responses = dict[int | str, dict[str, Any]]

UNSYNCED = "starting up, try again in a moment: not read from the Kubernetes API yet"


EXAMPLES: dict[str, list[Any]] = orjson.loads(files("anka_shim.http").joinpath("examples.json").read_bytes())
"""Examples of whole requests and answers, by the names of their models."""


class NoExample(Exception):
    """Names the part of a model that has no example and more than one possible value."""


def example(annotation: Any, where: str = "") -> Any:
    """Example of a type: a model's own, else one made from its fields. Of fields with a default, only those that have
    an example. Raises NoExample."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return _of_model(annotation, where or annotation.__name__)
    if annotation is type(None) or annotation is None:
        return None
    if get_origin(annotation) is Literal:
        return get_args(annotation)[0]
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return next(iter(annotation)).value
    if get_origin(annotation) is list:
        return [example(get_args(annotation)[0], f"{where}[]")]
    if options := get_args(annotation):
        return example(options[0], where)
    raise NoExample(where)


def examples_of(answers: Any, message: str) -> dict[str, Any]:
    """Examples by the names of the models in this union. `message`: of the failure. Raises NoExample."""
    found = {}
    for model in _options(answers):
        value = example(model)
        if model is Failed:
            value = {**value, "message": message}
        found[model.__name__] = {"summary": value["status"], "value": value}
    return found


def _of_model(model: type[BaseModel], where: str) -> Any:
    if model.__name__ in EXAMPLES:
        return EXAMPLES[model.__name__][0]
    return {
        name: _of_field(field, f"{where}.{name}")
        for name, field in model.model_fields.items()
        if field.is_required() or field.examples
    }


def _of_field(field: FieldInfo, where: str) -> Any:
    return field.examples[0] if field.examples else example(field.annotation, where)


def _options(answers: Any) -> Iterator[type[BaseModel]]:
    if isinstance(answers, type):
        yield answers
    else:
        yield from get_args(answers)


def _content(model: Any, message: str) -> dict[str, Any]:
    return {"model": model, "content": {"application/json": {"examples": examples_of(model, message)}}}


REFUSALS: Responses = {
    "4XX": {
        "description": "Refused whatever it asks for, such as too many requests of one client.",
        **_content(Failed, "too many requests, at most 50/second: try again in 1 s"),
    }
}


def answers(*models: Any, fails: str | None = UNSYNCED) -> Responses:
    """`responses` of a route. `models`: of the envelope on success; `fails`: a message that is typical of the endpoint,
    as an example, None for one that cannot fail."""
    union: Any = Union[(*(models or (Ok,)), *(() if fails is None else (Failed,)))]
    return {
        200: {"description": "Done, or FAIL with the reason in `message`.", **_content(union, fails or "")},
        **REFUSALS,
        503: {
            "description": "Too many requests at a time: try again.",
            **_content(Failed, "too many requests at a time: try again"),
        },
    }


class DocumentedApi(FastAPI):
    """FastAPI drops nulls from its document, and from its examples, which are then wrong: restore those."""

    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            document = super().openapi()
            for context in iter_route_contexts(self.routes):
                for method in context.methods or ():
                    operation = document["paths"].get(context.path, {}).get(method.lower(), {"responses": {}})
                    for code, documented in operation["responses"].items():
                        _add_examples(documented, context.responses.get(int(code) if code.isdecimal() else code, {}))
            for name, examples in EXAMPLES.items():
                if schema := document["components"]["schemas"].get(name):
                    schema["examples"] = examples
        return super().openapi()


def _add_examples(documented: dict[str, Any], declared: dict[str, Any]) -> None:
    for media_type, content in declared.get("content", {}).items():
        if "examples" in content:
            documented["content"][media_type]["examples"] = content["examples"]
