"""The OpenAPI document is complete, and what it shows is what it says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest

from support.shim_rig import rig

Operation = tuple[str, dict[str, Any]]
BODYLESS = {"GET /livez", "GET /readyz", "GET /metrics", "GET /pkg/{file}", "GET /logs/file", "GET /logs/stream"}
BODYLESS |= {"GET /logs/archive", "POST /tap/v1/hand", "POST /tap/v1/shake"}
"""Answers without the envelope."""

WRONG: list[Any] = [{}, [], {"detail": "x"}, {"status": "OK"}, {"status": "FAIL"}, {"status": "FAIL", "message": None}]
NEVER_FAILS = {"GET /config/v1/auth"}


@pytest.fixture
async def document() -> dict[str, Any]:
    async with rig() as shim:
        found = (await shim.http.get("/openapi.json")).json()
    assert isinstance(found, dict)
    return found


def operations(document: dict[str, Any]) -> Iterator[Operation]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            name = f"{method.upper()} {path}"
            if name not in BODYLESS:
                yield name, operation


def validator(document: dict[str, Any], schema: dict[str, Any]) -> Any:
    return jsonschema_rs.validator_for({**schema, "components": document["components"]})


def contents(document: dict[str, Any], operation: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Examples of a request are those of its model, or its own if it is an array."""
    if "requestBody" in operation:
        content = operation["requestBody"]["content"]["application/json"]
        schema, examples = content["schema"], content.get("examples", {})
        if "$ref" in schema:
            model = document["components"]["schemas"][schema["$ref"].split("/")[-1]]
            examples = {str(number): {"value": value} for number, value in enumerate(model.get("examples", []))}
        yield "the request", {"schema": schema, "examples": examples}
    for code, answer in operation["responses"].items():
        yield code, answer["content"]["application/json"]


async def test_every_endpoint_says_what_it_is(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        assert operation["tags"], name
        assert operation["summary"], name
        assert operation["description"], name
        assert not any(key.startswith("x-") for key in operation), name
        for parameter in operation.get("parameters", []):
            assert parameter["description"], f"{name}: {parameter['name']}"


async def test_every_field_of_a_request_is_described(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    for name, operation in operations(document):
        if "requestBody" in operation:
            schema = operation["requestBody"]["content"]["application/json"]["schema"]
            model = schemas[schema.get("items", schema)["$ref"].split("/")[-1]]
            for field, schema in model.get("properties", {}).items():
                assert schema.get("description"), f"{name}: {field}"


async def test_every_answer_has_examples_of_success_and_failure(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        for where, content in contents(document, operation):
            assert content.get("examples"), f"{name}: {where} has no example"
        shown = operation["responses"]["200"]["content"]["application/json"]["examples"]
        outcomes = {example["summary"] for example in shown.values()}
        assert outcomes == ({"OK"} if name in NEVER_FAILS else {"OK", "FAIL"}), name
        for example in shown.values():
            assert example["value"]["status"] == example["summary"], name


async def test_examples_are_what_their_schemas_say(document: dict[str, Any]) -> None:
    checked = 0
    for name, operation in operations(document):
        for where, content in contents(document, operation):
            valid = validator(document, content["schema"])
            for title, example in content["examples"].items():
                problems = [f"{error.instance_path}: {error.message}" for error in valid.iter_errors(example["value"])]
                assert not problems, f"{name}: {where}: {title}: {problems}"
                checked += 1
    assert checked > 50


async def test_the_schemas_can_fail(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        valid = validator(document, operation["responses"]["200"]["content"]["application/json"]["schema"])
        for wrong in WRONG:
            assert not valid.is_valid(wrong), f"{name}: {wrong}"
