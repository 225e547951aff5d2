"""Labels are few, whatever people write."""

from __future__ import annotations

from typing import Any

import pytest

from anka_operator.cluster import Stores
from anka_operator.observing.names import OTHER, Few, TemplateNames
from support.objects import TEMPLATE, instance, template


def test_the_first_keep_their_names() -> None:
    few = Few(2)
    assert [few.of(value) for value in ("a", "b", "c", "a", "c", "b")] == ["a", "b", OTHER, "a", OTHER, "b"]


@pytest.mark.parametrize(
    ("spec", "status", "expected"),
    [
        ({}, {}, "macos-15"),
        ({"template": "macos-15"}, {}, "macos-15"),
        ({"template": "macos-51"}, {}, OTHER),
        ({"template": "renamed"}, {"template": {"id": TEMPLATE, "name": "renamed"}}, "macos-15"),
        ({"template": "macos-15"}, {"template": {"id": "deleted"}}, OTHER),
    ],
)
def test_only_templates_of_the_registry(spec: dict[str, Any], status: dict[str, Any], expected: str) -> None:
    stores = Stores()
    stores.templates.observe(template())
    assert TemplateNames(stores.templates).of(instance(status=status, **spec)) == expected


def test_the_name_for_people_comes_first() -> None:
    stores = Stores()
    stores.templates.observe(template(displayName="Sequoia"))
    assert TemplateNames(stores.templates).name(TEMPLATE) == "Sequoia"


def test_too_many_templates() -> None:
    stores = Stores()
    for name in ("a", "b"):
        stores.templates.observe(template(f"uuid-{name}", name))
    names = TemplateNames(stores.templates, most=1)
    assert [names.name(name) for name in ("a", "b", "a")] == ["a", OTHER, "a"]
