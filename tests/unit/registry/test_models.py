"""What registries answer, in all its forms."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from anka_registry.models import RegistryListItem, RegistryTemplate, RegistryVersion

MOMENT = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        (1_767_225_600, MOMENT),
        (1_767_225_600.0, MOMENT),
        ("1767225600", MOMENT),
        ("2026-01-01T00:00:00Z", MOMENT),
        (0, None),
        ("0", None),
        ("", None),
        (None, None),
        ("0001-01-01T00:00:00Z", None),
    ],
)
def test_times(value: Any, wanted: datetime | None) -> None:
    assert RegistryVersion.model_validate({"number": 0, "tag": "v1", "last_pull": value}).last_pull == wanted


def test_nulls_mean_absent_and_new_fields_are_ignored() -> None:
    found = RegistryTemplate.model_validate({"id": "u", "name": "n", "size": None, "versions": None, "novelty": 1})
    assert (found.size, found.arch, found.versions, found.last_push) == (0, "", [], None)
    version = RegistryVersion.model_validate({"number": 0, "tag": "v1", "images": None, "description": None})
    assert (version.images, version.description) == ([], "")


@pytest.mark.parametrize("data", [{}, {"id": "a/b"}, {"id": ""}, {"id": 1, "name": "n"}])
def test_what_is_no_template(data: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        RegistryListItem.model_validate(data)
