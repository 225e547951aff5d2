"""What a changed CRD takes away from those who use the older one: objects, manifests and processes of that time. Pure.

Only additions are none of that. Sources: Kubernetes API conventions ("API change" rules), and how a structural schema
prunes, defaults and validates what is stored already.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Schema = dict[str, Any]

_UPPER = ("maximum", "maxLength", "maxItems", "maxProperties")
_LOWER = ("minimum", "minLength", "minItems", "minProperties")
_FIXED = (
    "type",
    "format",
    "pattern",
    "multipleOf",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "uniqueItems",
    "x-kubernetes-list-type",
    "x-kubernetes-list-map-keys",
    "x-kubernetes-map-type",
)
"""What may not come, go or change."""
_OPENINGS = ("nullable", "x-kubernetes-preserve-unknown-fields", "x-kubernetes-int-or-string")
"""What may come, but not go."""


def breaking(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """One line for each change of a CustomResourceDefinition that is no addition: where, and what."""
    return list(_crd(old["spec"], new["spec"]))


def _crd(old: dict[str, Any], new: dict[str, Any]) -> Iterator[str]:
    for key in ("group", "scope"):
        if old[key] != new[key]:
            yield f"{key}: {old[key]} became {new[key]}"
    for key in ("kind", "listKind", "plural", "singular"):
        if old["names"].get(key) != new["names"].get(key):
            yield f"names.{key}: {old['names'].get(key)} became {new['names'].get(key)}"
    for key in ("shortNames", "categories"):
        for name in sorted(set(old["names"].get(key, [])) - set(new["names"].get(key, []))):
            yield f"names.{key}: {name} was removed"
    versions = {version["name"]: version for version in new["versions"]}
    for before in old["versions"]:
        name = before["name"]
        after = versions.get(name)
        if after is None or (before["served"] and not after["served"]):
            yield f"{name}: the version is no longer served"
            continue
        yield from _version(name, before, after)


def _version(name: str, old: dict[str, Any], new: dict[str, Any]) -> Iterator[str]:
    selectable = {field["jsonPath"] for field in new.get("selectableFields", [])}
    for field in old.get("selectableFields", []):
        if field["jsonPath"] not in selectable:
            yield f"{name}: {field['jsonPath']} is no longer selectable"
    for subresource in sorted(old.get("subresources", {}).keys() - new.get("subresources", {}).keys()):
        yield f"{name}: the subresource {subresource} was removed"
    yield from _schema("", old["schema"]["openAPIV3Schema"], new["schema"]["openAPIV3Schema"])


def _schema(path: str, old: Schema, new: Schema) -> Iterator[str]:
    where = path or "the object"
    for key in _FIXED:
        if old.get(key) != new.get(key):
            yield f"{where}: {key} {_shown(old, key)} became {_shown(new, key)}"
    for key in _OPENINGS:
        if old.get(key) and not new.get(key):
            yield f"{where}: {key} was removed"
    for keys, tighter in ((_UPPER, min), (_LOWER, max)):
        for key in keys:
            before, after = old.get(key), new.get(key)
            if after is not None and after != before and (before is None or tighter(before, after) == after):
                yield f"{where}: {key} {_shown(old, key)} became {after}"
    yield from _words(where, old, new)
    if "default" in old and old["default"] != new.get("default"):
        yield f"{where}: default {_shown(old, 'default')} became {_shown(new, 'default')}"
    for name in sorted(set(new.get("required", [])) - set(old.get("required", []))):
        yield f"{path}.{name}: is now required"
    yield from _rules(where, old, new)
    yield from _inside(path, old, new)


def _words(where: str, old: Schema, new: Schema) -> Iterator[str]:
    if "enum" in new and "enum" not in old:
        yield f"{where}: only some words are allowed now"
    for word in old.get("enum", []):
        if "enum" in new and word not in new["enum"]:
            yield f"{where}: the word {word} is no longer allowed"


def _rules(where: str, old: Schema, new: Schema) -> Iterator[str]:
    """A new CEL rule refuses what was accepted, unless it lets pass what is there already: then it asks for the old
    value. (That the apiserver lets unchanged values pass helps stored objects, but not the same manifest elsewhere.)"""
    known = {rule["rule"] for rule in old.get("x-kubernetes-validations", [])}
    for rule in new.get("x-kubernetes-validations", []):
        if rule["rule"] not in known and not (rule.get("optionalOldSelf") and "oldSelf.hasValue()" in rule["rule"]):
            yield f"{where}: the rule {rule['rule']!r} is new"


def _inside(path: str, old: Schema, new: Schema) -> Iterator[str]:
    before, after = old.get("properties", {}), new.get("properties", {})
    for name, schema in before.items():
        if name in after:
            yield from _schema(f"{path}.{name}", schema, after[name])
        elif not new.get("x-kubernetes-preserve-unknown-fields"):
            yield f"{path}.{name}: was removed"
    for key, mark in (("items", "[]"), ("additionalProperties", "{}")):
        inner, now = old.get(key), new.get(key)
        if isinstance(inner, dict) and isinstance(now, dict):
            yield from _schema(path + mark, inner, now)
        elif inner and not now:
            yield f"{path}{mark}: was removed"


def _shown(schema: Schema, key: str) -> str:
    return str(schema[key]) if key in schema else "(none)"
