"""Hypothesis strategies for wire data that a model takes, from the model's own JSON schema."""

from datetime import UTC
from typing import Any

from hypothesis import strategies as st
from pydantic import BaseModel

Data = st.SearchStrategy[Any]
_ALPHABET = "az09-._/ \n'\"\\{é日🍏\x00"
_TEXT = st.text(_ALPHABET, max_size=12)


def wire_data(model: type[BaseModel]) -> Data:
    """JSON as the apiserver would hold it: optional fields there or not, never null."""
    schema = model.model_json_schema(by_alias=True)
    return _data(schema, schema.get("$defs", {}))


def _data(node: dict[str, Any], definitions: dict[str, Any]) -> Data:
    if "$ref" in node:
        return _data(definitions[node["$ref"].rsplit("/", 1)[-1]], definitions)
    if "anyOf" in node:
        return st.one_of([_data(choice, definitions) for choice in node["anyOf"] if choice != {"type": "null"}])
    if "enum" in node:
        return st.sampled_from(node["enum"])
    if "const" in node:
        return st.just(node["const"])
    if node.get("type") is None:
        return st.one_of(st.integers(-(2**53), 2**53), st.booleans(), _TEXT)
    return _TYPES[node["type"]](node, definitions)


def _object(node: dict[str, Any], definitions: dict[str, Any]) -> Data:
    if "properties" not in node:
        inner = node.get("additionalProperties")
        return st.dictionaries(_TEXT, _data(inner if isinstance(inner, dict) else {}, definitions), max_size=3)
    required = node.get("required", [])
    fields = {name: _data(child, definitions) for name, child in node["properties"].items()}
    return st.fixed_dictionaries(
        {name: fields[name] for name in required},
        optional={name: data for name, data in fields.items() if name not in required},
    )


def _array(node: dict[str, Any], definitions: dict[str, Any]) -> Data:
    return st.lists(_data(node["items"], definitions), max_size=2)


def _string(node: dict[str, Any], _: dict[str, Any]) -> Data:
    low, high = node.get("minLength", 0), node.get("maxLength", 100_000)
    if node.get("format") == "date-time":
        return st.datetimes(timezones=st.just(UTC)).map(lambda moment: moment.isoformat().replace("+00:00", "Z"))
    if "pattern" in node:
        return st.from_regex(node["pattern"], fullmatch=True).filter(lambda text: low <= len(text) <= high)
    return st.text(_ALPHABET, min_size=low, max_size=min(high, low + 12))


def _integer(node: dict[str, Any], _: dict[str, Any]) -> Data:
    return st.integers(node.get("minimum", -(2**63)), node.get("maximum", 2**63 - 1))


def _boolean(_node: dict[str, Any], _: dict[str, Any]) -> Data:
    return st.booleans()


_TYPES = {"object": _object, "array": _array, "string": _string, "integer": _integer, "boolean": _boolean}
