"""JSON merge patch (RFC 7386) on plain JSON values: an object is a dict. Pure."""

from collections.abc import Mapping
from typing import Any


def apply(current: Any, patch: Any) -> Any:
    """The patched value: null deletes a key, mappings merge, any other value is replaced."""
    if not isinstance(patch, dict):
        return patch
    result = dict(current) if isinstance(current, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = apply(result.get(key), value)
    return result


def prepare(patch: Mapping[str, Any]) -> dict[str, Any]:
    """The patch with nulls only where they delete a key.

    Inside a list a null would be stored as null, which the API conventions forbid: there the key is omitted.
    """
    return {key: _without_nulls(value, in_list=False) for key, value in patch.items()}


def changes(current: Mapping[str, Any], patch: Mapping[str, Any]) -> bool:
    """Whether applying `patch` would change anything."""
    return bool(apply(dict(current), dict(patch)) != dict(current))


def _without_nulls(value: Any, *, in_list: bool) -> Any:
    if isinstance(value, dict):
        return {
            key: _without_nulls(item, in_list=in_list) for key, item in value.items() if item is not None or not in_list
        }
    if isinstance(value, list | tuple):
        return [_without_nulls(item, in_list=True) for item in value if item is not None]
    return value
