from __future__ import annotations

from typing import Any

import pytest

from anka_shim.rest.examples import NoExample, example, named

SCHEMAS: dict[str, Any] = {
    "Failed": {
        "type": "object",
        "required": ["status", "message"],
        "properties": {"status": {"const": "FAIL"}, "message": {"type": "string", "examples": ["Not found"]}},
    },
    "Id": {"type": "string", "examples": ["mac-01", "mac-02"]},
    "ListOk": {
        "type": "object",
        "required": ["status", "body"],
        "properties": {
            "status": {"const": "OK"},
            "message": {"const": "", "default": ""},
            "body": {"type": "array", "items": {"$ref": "#/components/schemas/Id"}},
        },
    },
}


@pytest.mark.parametrize(
    ("schema", "made"),
    [
        ({"type": "integer", "examples": [7, 8]}, 7),
        ({"type": "string", "examples": [None]}, None),
        ({"$ref": "#/components/schemas/Id"}, "mac-01"),
        ({"const": "OK", "type": "string"}, "OK"),
        ({"default": "", "type": "string"}, ""),
        ({"type": "null"}, None),
        ({"anyOf": [{"type": "null"}, {"$ref": "#/components/schemas/Id"}]}, "mac-01"),
        ({"anyOf": [{"type": "null"}]}, None),
        ({"type": "array", "items": {"$ref": "#/components/schemas/Id"}}, ["mac-01"]),
        ({"type": "object", "properties": {"left": {"type": "integer"}, "kept": {"examples": [1]}}}, {"kept": 1}),
        ({"$ref": "#/components/schemas/ListOk"}, {"status": "OK", "message": "", "body": ["mac-01"]}),
    ],
)
def test_examples(schema: dict[str, Any], made: Any) -> None:
    assert example(schema, SCHEMAS) == made


@pytest.mark.parametrize(
    ("schema", "where"),
    [
        ({"type": "string"}, ""),
        ({"type": "array", "items": {"type": "integer"}}, "[]"),
        ({"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}}}, ".id"),
        ({"type": "object", "additionalProperties": {"type": "string"}}, ""),
    ],
)
def test_no_example(schema: dict[str, Any], where: str) -> None:
    with pytest.raises(NoExample) as raised:
        example(schema, SCHEMAS)
    assert str(raised.value) == where


def test_one_for_each_answer() -> None:
    both = {"anyOf": [{"$ref": "#/components/schemas/ListOk"}, {"$ref": "#/components/schemas/Failed"}]}
    assert named(both, SCHEMAS, "No such tag x") == {
        "ListOk": {"summary": "OK", "value": {"status": "OK", "message": "", "body": ["mac-01"]}},
        "Failed": {"summary": "FAIL", "value": {"status": "FAIL", "message": "No such tag x"}},
    }
    assert named({"$ref": "#/components/schemas/Failed"}, SCHEMAS, None)["Failed"]["value"]["message"] == "Not found"
