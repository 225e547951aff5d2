"""REST endpoints as tables, from an OpenAPI document."""

from __future__ import annotations

from typing import Any

from anka_dev.reference.endpoints import fields, page_of, served_document

DOCUMENT: dict[str, Any] = {
    "paths": {
        "/api/v1/group": {
            "post": {
                "summary": "Create a group",
                "parameters": [{"name": "key", "in": "header", "schema": {"type": "string"}, "description": "A key"}],
                "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/New"}}}},
                "responses": {
                    "200": {
                        "content": {
                            "application/json": {
                                "schema": {
                                    "anyOf": [
                                        {"$ref": "#/components/schemas/Made"},
                                        {"$ref": "#/components/schemas/Failed"},
                                    ]
                                }
                            }
                        }
                    }
                },
            }
        }
    },
    "components": {
        "schemas": {
            "New": {
                "required": ["name"],
                "properties": {
                    "name": {"type": "string", "description": "Its name."},
                    "nodes": {"type": "array", "items": {"$ref": "#/components/schemas/Node"}},
                    "size": {"anyOf": [{"type": "integer"}, {"type": "string"}], "default": 3},
                },
            },
            "Node": {"properties": {"id": {"enum": ["a", "b"]}}},
            "Made": {"properties": {"status": {"type": "string"}, "body": {"$ref": "#/components/schemas/Node"}}},
            "Failed": {"properties": {"status": {"type": "string"}}},
        }
    },
}


def test_a_page() -> None:
    text = page_of(DOCUMENT).text()
    assert "\n## POST /api/v1/group\n\nCreate a group.\n" in text
    assert "| `key` | header | string | | A key. |" in text
    assert "| `name` | body | string | required | Its name. |" in text
    assert "| `size` | body | integer or string | `3` | |" in text
    assert text.endswith("| field | type | meaning |\n| --- | --- | --- |\n| `id` | `a`, `b` | |\n")


def test_fields_of_lists_have_brackets() -> None:
    rows = fields({"$ref": "#/components/schemas/New"}, "", DOCUMENT)
    assert [name for name, *_ in rows] == ["`name`", "`nodes`", "`nodes[].id`", "`size`"]


def test_a_shim_serves_the_document_without_a_kubernetes_api() -> None:
    paths = served_document()["paths"]
    assert paths["/api/v1/vm"].keys() >= {"get", "post", "put", "delete"}
