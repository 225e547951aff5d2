"""What controllers write into a status fits into etcd, in the worst case that the schema and their budgets allow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from anka_crds.api import KINDS_WITH_STATUS
from anka_crds.api.limits import BUDGETS, ETCD_BYTES
from anka_crds.api.meta import KubeObject
from anka_dev.crds.crd import crd

WRITTEN_BY_PEOPLE = {"AnkaNode.status.vlans"}
ESCAPED = 6
"""Bytes of JSON for one character, at most."""
NUMBER = 20
ROOM_FOR_METADATA = 100_000


def find_budget(path: str) -> str | None:
    return next((end for end in BUDGETS if path == end or path.endswith(f".{end}")), None)


def bound(schema: Mapping[str, Any], path: str, used: set[str]) -> int:
    """Bytes of JSON, at most."""
    if path in WRITTEN_BY_PEOPLE:
        return 0
    if (end := find_budget(path)) is not None:
        used.add(end)
        return BUDGETS[end]
    kind = schema["type"]
    if kind == "object" and "properties" in schema:
        parts = schema["properties"].items()
        return 2 + sum(len(name) + 4 + bound(child, f"{path}.{name}", used) for name, child in parts)
    if kind == "array":
        most: int = schema["maxItems"]
        return 2 + most * (1 + bound(schema["items"], f"{path}[]", used))
    if kind == "string":
        longest: int | None = max(map(len, schema["enum"])) if "enum" in schema else schema.get("maxLength")
        if longest is None:
            assert schema["format"] == "date-time", path
            longest = 32
        return 2 + longest * (1 if "enum" in schema or "format" in schema else ESCAPED)
    assert kind in ("integer", "number", "boolean"), (path, kind)
    return NUMBER


def status_of(model: type[KubeObject]) -> Mapping[str, Any]:
    (version,) = crd(model)["spec"]["versions"]
    found: Mapping[str, Any] = version["schema"]["openAPIV3Schema"]["properties"]["status"]
    return found


@pytest.mark.parametrize("model", KINDS_WITH_STATUS, ids=lambda model: model.__name__)
def test_what_controllers_write_fits_into_etcd(model: type[KubeObject]) -> None:
    assert bound(status_of(model), f"{model.__name__}.status", set()) < ETCD_BYTES - ROOM_FOR_METADATA


def test_each_budget_is_that_of_a_field() -> None:
    used: set[str] = set()
    for model in KINDS_WITH_STATUS:
        bound(status_of(model), f"{model.__name__}.status", used)
    assert used == set(BUDGETS)
