"""Parse objects of the apiserver that exceed the limits of this version.

The CRD enforces limits (lengths, ranges, patterns), and a newer CRD may have wider ones: an older agent must not lose
its VM because a tag has 257 characters. Types and enumerations (phases, policies) stay strict: a program cannot act on
a value that it does not know.
"""

from functools import cache
from typing import Any

from pydantic import BaseModel
from pydantic_core import SchemaValidator

_LIMITS = {
    "str": {"min_length", "max_length", "pattern"},
    "int": {"ge", "gt", "le", "lt"},
    "list": {"min_length", "max_length"},
    "dict": {"min_length", "max_length"},
}
_OPAQUE = {"cls", "default", "default_factory", "metadata"}


@cache
def validator(model: type[BaseModel]) -> SchemaValidator:
    """The model's validator without limits. Built on first use: most processes never need it."""
    # Without the flag the validators of nested models are taken from their classes, limits included.
    return SchemaValidator(_without_limits(model.__pydantic_core_schema__), _use_prebuilt=False)


def _without_limits(node: Any) -> Any:
    if isinstance(node, list):
        return [_without_limits(item) for item in node]
    if not isinstance(node, dict):
        return node
    kind = node.get("type")
    if not isinstance(kind, str):  # a mapping of field names, not a schema node
        return {key: _without_limits(value) for key, value in node.items()}
    limits = _LIMITS.get(kind, set())
    return {
        key: value if key in _OPAQUE else _without_limits(value) for key, value in node.items() if key not in limits
    }
