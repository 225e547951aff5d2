"""`PUT /api/v1/vm`: the request as a merge patch of AnkaInstance.spec."""

from __future__ import annotations

from typing import Any

from anka_shim.translate import values
from anka_shim.translate.values import Json

MAX_TEXT = 4096


def read(data: Json) -> dict[str, Any]:
    """Only what is given changes; metadata keys are added to those that are there. Raises Failure."""
    spec: dict[str, Any] = {}
    for name, field in (("name", "displayName"), ("external_id", "externalId")):
        value = values.short(data, name, MAX_TEXT)
        if value is not None:
            spec[field] = value
    metadata = values.metadata(data)
    if metadata:
        spec["metadata"] = metadata
    return spec
