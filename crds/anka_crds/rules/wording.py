"""What a model refuses, in the words that the apiserver would use."""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from pydantic import BaseModel

from anka_crds.api.fields import PATTERN_MESSAGE


def describe_error(error: Mapping[str, Any], model: type[BaseModel]) -> str:
    """The message of one error of this model: in place of a regular expression, what it asks for."""
    if error["type"] != "string_pattern_mismatch":
        return str(error["msg"])
    return _words(model).get(error["ctx"]["pattern"], str(error["msg"]))


@cache
def _words(model: type[BaseModel]) -> dict[str, str]:
    """Pattern -> its words (`fields.in_words`)."""
    return dict(_find(model.model_json_schema()))


def _find(node: Any) -> Iterator[tuple[str, str]]:
    if isinstance(node, list):
        for item in node:
            yield from _find(item)
    elif isinstance(node, dict):
        if PATTERN_MESSAGE in node:
            # Beside the pattern, or, where the field may be absent, around it.
            for choice in (node, *node.get("anyOf", ())):
                if "pattern" in choice:
                    yield choice["pattern"], node[PATTERN_MESSAGE]
        for value in node.values():
            yield from _find(value)
