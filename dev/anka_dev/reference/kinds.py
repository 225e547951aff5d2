"""docs/reference/api.md: every field of every kind, from the CustomResourceDefinitions."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import yaml

from anka_dev.reference.page import Page, code, sentence, table
from anka_dev.repository import CRDS

FOLDER = CRDS
INTRODUCTION = (
    "The kinds of `anka.veertu.com/v1alpha1`. `spec` is what people want, `status` is what controllers have observed. "
    "`kubectl explain KIND.spec` shows the same. `[]` after a field: it is a list, and the fields of its items follow."
)
LIMITS = {
    "minimum": "at least {}",
    "maximum": "at most {}",
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "minItems": "at least {} items",
    "maxItems": "at most {} items",
    "pattern": "matches `{}`",
}
SHARED = ("conditions",)
"""Fields that are the same in every kind: their own fields are not repeated."""


def page() -> Page:
    made = Page("API", [INTRODUCTION])
    for path in sorted(FOLDER.glob("*.yaml")):
        for definition in yaml.safe_load_all(path.read_text(encoding="utf-8")):
            add_kind(made, definition["spec"])
    return made


def add_kind(made: Page, spec: dict[str, Any]) -> None:
    names = spec["names"]
    [version] = spec["versions"]
    schema = version["schema"]["openAPIV3Schema"]
    short = ", ".join(code(name) for name in names.get("shortNames", []))
    facts = [
        ("plural", code(names["plural"])),
        ("short names", short),
        ("scope", spec["scope"]),
        ("field selectors", ", ".join(code(one["jsonPath"][1:]) for one in version.get("selectableFields", []))),
    ]
    made.section(names["kind"], sentence(schema.get("description", "")), table(("", ""), [f for f in facts if f[1]]))
    for part in [name for name in ("spec", "status") if name in schema["properties"]]:
        rows = list(fields(schema["properties"][part], part))
        made.section(f"{names['kind']} {part}", table(("field", "type", "default", "meaning"), rows), level=3)
        rules = [(code(rule["message"]), where) for where, rule in validations(schema["properties"][part], part)]
        if rules:
            made.blocks += ["What the API refuses, by message:", table(("message", "about"), rules)]
    rules = [(code(rule["message"]), "") for rule in schema.get("x-kubernetes-validations", []) if "message" in rule]
    if rules:
        made.blocks += ["What the API refuses about the object as a whole:", table(("message", ""), rules)]


def fields(schema: dict[str, Any], path: str) -> Iterator[tuple[str, str, str, str]]:
    """Rows of a table: objects before what is in them."""
    required = set(schema.get("required", []))
    for name, inner in schema.get("properties", {}).items():
        where = f"{path}.{name}" + ("[]" if inner.get("type") == "array" else "")
        default = "required" if name in required else default_of(inner)
        meaning = " ".join(filter(None, (sentence(inner.get("description", "")), limits(inner))))
        yield code(where), type_of(inner), default, meaning
        if name not in SHARED:
            yield from fields(inner.get("items", inner), where)


def default_of(schema: dict[str, Any]) -> str:
    default = schema.get("default")
    if default is None or isinstance(default, (dict, list)):
        return ""
    return code(default if isinstance(default, str) else json.dumps(default))


def type_of(schema: dict[str, Any]) -> str:
    if "enum" in schema:
        return ", ".join(code(value) for value in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {type_of(schema['items'])}"
    if isinstance(schema.get("additionalProperties"), dict):
        return f"map of {type_of(schema['additionalProperties'])}"
    if schema.get("x-kubernetes-int-or-string"):
        return "integer or string"
    name = str(schema.get("type", "any"))
    return {"date-time": "time"}.get(schema.get("format", ""), name)


def limits(schema: dict[str, Any]) -> str:
    parts = [text.format(schema[key]) for key, text in LIMITS.items() if key in schema]
    return f"({'; '.join(parts)})" if parts else ""


def validations(schema: dict[str, Any], path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """CEL rules with a message, and where they stand."""
    for rule in schema.get("x-kubernetes-validations", []):
        if "message" in rule:
            yield code(path + rule.get("fieldPath", "")), rule
    if "items" in schema:
        yield from validations(schema["items"], f"{path}[]")
    for name, inner in schema.get("properties", {}).items():
        yield from validations(inner, f"{path}.{name}")
