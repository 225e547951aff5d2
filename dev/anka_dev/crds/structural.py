"""pydantic's JSON schema -> Kubernetes structural schema. Pure.

What the apiserver refuses (https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/
custom-resource-definitions/, "Specifying a structural schema") is rewritten if that loses nothing, and otherwise
refused with its path: a schema that silently says less than its model is worse than none.
"""

import re
from collections.abc import Mapping
from typing import Any

from anka_crds.api.fields import PATTERN_ALSO, PATTERN_MESSAGE, PATTERN_UNLESS_STORED

Schema = dict[str, Any]

VALIDATIONS = "x-kubernetes-validations"
_PRESERVE = "x-kubernetes-preserve-unknown-fields"

# fmt: off
_KEPT = (
    "description", "type", "format", "default", "enum",
    "pattern", "minLength", "maxLength",
    "minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum", "multipleOf",
    "minItems", "maxItems", "minProperties", "maxProperties",
    "nullable", "required", "properties", "additionalProperties", "items",
)
# fmt: on
"""In the order of the output."""

_DROPPED = frozenset({"title", "examples", "deprecated", "readOnly", "writeOnly", "$defs"})


class UnsupportedSchemaError(ValueError):
    """The model has something that a structural schema cannot express. The text names the field and an alternative."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"{path or 'the root'}: {problem}")


def structural(schema: Schema) -> Schema:
    """The schema of ``model_json_schema(by_alias=True, mode="validation")`` as the apiserver takes it.

    Descriptions come from fields only: the docstring of a class is for programmers. Raises UnsupportedSchemaError.
    """
    return _convert(schema, schema.get("$defs", {}), "", ())


def _convert(node: Schema, definitions: Mapping[str, Schema], path: str, trail: tuple[str, ...]) -> Schema:
    flat, trail = _flatten(node, definitions, path, trail)
    result: Schema = {}
    for key, value in flat.items():
        if key in _DROPPED or (key == "default" and value is None):
            continue
        if key == "properties":
            result[key] = {
                name: _convert(child, definitions, f"{path}.{name}".lstrip("."), trail) for name, child in value.items()
            }
        elif key == "items":
            result[key] = _without_description(_convert(value, definitions, f"{path}[]", trail))
        elif key == "additionalProperties":
            if "properties" in flat:
                continue  # extra=forbid or allow: pruning and strict field validation do the same
            inner = {} if value is True else value
            if inner is not False:
                result[key] = _without_description(_convert(inner, definitions, f"{path}{{}}", trail))
        elif key == "const":
            result["enum"] = [value]
        elif key in ("exclusiveMinimum", "exclusiveMaximum") and not isinstance(value, bool):
            result[key.replace("exclusiveM", "m")] = value
            result[key] = True
        elif key == "uniqueItems":
            result["x-kubernetes-list-type"] = "set"
        elif key in _KEPT or key.startswith("x-kubernetes-"):
            result[key] = value
        elif key not in (PATTERN_MESSAGE, PATTERN_ALSO, PATTERN_UNLESS_STORED):
            raise UnsupportedSchemaError(path, f"{key!r} has no place in a structural schema: use a CEL rule")
    if result.get("type") == "integer":
        result.setdefault("format", "int64")
    if PATTERN_MESSAGE in flat:
        _pattern_in_words(
            result, flat[PATTERN_MESSAGE], flat.get(PATTERN_ALSO), unless_stored=PATTERN_UNLESS_STORED in flat
        )
    if "type" not in result and "x-kubernetes-int-or-string" not in result:
        result[_PRESERVE] = True
    return {key: result[key] for key in sorted(result, key=_position)}


def _flatten(
    node: Schema, definitions: Mapping[str, Schema], path: str, trail: tuple[str, ...]
) -> tuple[Schema, tuple[str, ...]]:
    """`$ref`, `anyOf` with null and `allOf` of one, replaced by what they refer to. Keys beside them win."""
    if "oneOf" in node or "prefixItems" in node:
        raise UnsupportedSchemaError(path, "a union or tuple: use an object of optional fields and a CEL rule")
    rest = {key: value for key, value in node.items() if key not in ("$ref", "anyOf", "allOf")}
    if "$ref" in node:
        name = node["$ref"].rsplit("/", 1)[-1]
        if name in trail:
            raise UnsupportedSchemaError(path, f"{name} contains itself: a structural schema can't")
        inner, trail = _flatten(definitions[name], definitions, path, (*trail, name))
        inner = _without_description(inner)
    elif "anyOf" in node:
        choices = [choice for choice in node["anyOf"] if choice.get("type") != "null"]
        types = {choice.get("type") for choice in choices}
        if len(choices) == 1:
            inner, trail = _flatten(choices[0], definitions, path, trail)
        elif types == {"integer", "string"}:
            inner = {"x-kubernetes-int-or-string": True}
        else:
            raise UnsupportedSchemaError(path, "a union: use an object of optional fields and a CEL rule")
    elif "allOf" in node:
        if len(node["allOf"]) != 1:
            raise UnsupportedSchemaError(path, "allOf of several: write one schema")
        inner, trail = _flatten(node["allOf"][0], definitions, path, trail)
    else:
        return rest, trail
    merged = {**inner, **rest}
    if VALIDATIONS in inner and VALIDATIONS in rest:
        merged[VALIDATIONS] = [*inner[VALIDATIONS], *rest[VALIDATIONS]]
    return merged, trail


def _pattern_in_words(result: Schema, message: str, also: str | None, *, unless_stored: bool) -> None:
    # Python and Rust, which the models use, write other characters than Go.
    pattern = re.sub(r"\\u([0-9a-f]{4})", r"\\x{\1}", result.pop("pattern"))
    quote = '"' if "'" in pattern else "'"
    matches = f"self.matches(r{quote}{pattern}{quote})"
    rule: Schema = {"rule": f"{matches} && {also}" if also else matches, "message": message}
    if unless_stored:
        stored = "oldSelf.hasValue() && oldSelf.value() == self"
        rule |= {"rule": f"({stored}) || ({rule['rule']})", "optionalOldSelf": True}
    result[VALIDATIONS] = [rule, *result.get(VALIDATIONS, [])]


def _without_description(schema: Schema) -> Schema:
    return {key: value for key, value in schema.items() if key != "description"}


def _position(key: str) -> tuple[int, str]:
    return (_KEPT.index(key), "") if key in _KEPT else (len(_KEPT), key)
