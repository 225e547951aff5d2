"""What an object has room for: bytes of lists, and characters of texts. Pure."""

import json
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from anka_crds.api.meta import ApiModel
from anka_crds.rules.text import shorten, stored_size

M = TypeVar("M", bound=ApiModel)


def measure(item: ApiModel) -> int:
    """Bytes of its JSON in a list, as etcd stores it."""
    return stored_size(json.dumps(item.to_api(), ensure_ascii=False)) + 1


def take_fitting(items: Iterable[M], number: int, size: int, measure: Callable[[M], int] = measure) -> list[M]:
    """The first of them: `number` at most, and not more than `size` bytes."""
    found: list[M] = []
    for item in items:
        size -= measure(item)
        if size < 0 or len(found) >= number:
            break
        found.append(item)
    return found


def shorten_texts(**fields: Any) -> dict[str, Any]:
    """The same fields; each text has the length at most that a Text may have."""
    return {name: shorten(value) if isinstance(value, str) else value for name, value in fields.items()}


def describe_cut(what: str, shown: int, known: int) -> str | None:
    """`status.templates lists 1024 of 1300 tags`; None if all are shown. `what`: with a place for both numbers."""
    return what.format(shown, known) if shown < known else None
