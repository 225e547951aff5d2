"""JSON merge patch (RFC 7386) on plain JSON values. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def apply(current: Any, patch: Any) -> Any:
    """What `current` becomes: null deletes a key, mappings merge, everything else is replaced whole."""
    if not isinstance(patch, Mapping):
        return patch
    result = dict(current) if isinstance(current, Mapping) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = apply(result.get(key), value)
    return result


def prepare(patch: Mapping[str, Any]) -> dict[str, Any]:
    """The patch with nulls only where they mean "delete this key".

    Inside a list a null would be stored as null, which the API conventions forbid: there the key is left out.
    """
    return {key: _without_nulls_in_lists(value) for key, value in patch.items()}


def changes(current: Mapping[str, Any], patch: Mapping[str, Any]) -> bool:
    """Whether applying `patch` would change anything."""
    return bool(apply(current, patch) != dict(current))


def _without_nulls_in_lists(value: Any) -> Any:
    if isinstance(value, Mapping):
        return prepare(value)
    if isinstance(value, list | tuple):
        return [_without_nulls(item) for item in value if item is not None]
    return value


def _without_nulls(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    if isinstance(value, list | tuple):
        return [_without_nulls(item) for item in value if item is not None]
    return value
