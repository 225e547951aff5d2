"""Fields of the kinds as tables, from CustomResourceDefinitions."""

from __future__ import annotations

from typing import Any

import pytest

from anka_crds.api import KINDS
from anka_dev.reference.kinds import fields, page, type_of, validations

SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["name"],
    "properties": {
        "name": {"type": "string", "description": "The name", "minLength": 1},
        "count": {"type": "integer", "default": 2, "description": "How many."},
        "rules": {
            "type": "array",
            "items": {"type": "object", "properties": {"port": {"type": "integer", "maximum": 65535}}},
            "x-kubernetes-validations": [{"rule": "self.size() < 3", "message": "too many"}],
        },
    },
}


def test_rows() -> None:
    assert list(fields(SCHEMA, "spec")) == [
        ("`spec.name`", "string", "required", "The name. (at least 1 characters)"),
        ("`spec.count`", "integer", "`2`", "How many."),
        ("`spec.rules[]`", "list of object", "", ""),
        ("`spec.rules[].port`", "integer", "", "(at most 65535)"),
    ]


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"enum": ["a", "b"], "type": "string"}, "`a`, `b`"),
        ({"type": "array", "items": {"type": "string"}}, "list of string"),
        ({"type": "object", "additionalProperties": {"type": "string"}}, "map of string"),
        ({"x-kubernetes-int-or-string": True}, "integer or string"),
        ({"type": "string", "format": "date-time"}, "time"),
    ],
)
def test_types(schema: dict[str, Any], expected: str) -> None:
    assert type_of(schema) == expected


def test_every_kind_and_field_is_on_the_page() -> None:
    text = page().text()
    for model in KINDS:
        assert f"\n## {model.__name__}\n" in text
    assert "| `spec.startupScript.secretRef.name` |" in text
    assert "lastTransitionTime" not in text, "fields of conditions are the same in every kind"


def test_messages_of_rules() -> None:
    assert [(where, rule["message"]) for where, rule in validations(SCHEMA, "spec")] == [("`spec.rules`", "too many")]
