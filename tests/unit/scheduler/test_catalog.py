"""What an instance's words for template, tag and version mean."""

from __future__ import annotations

import pytest

from anka_scheduler.catalog import ResolvedVersion, TemplateCatalog
from anka_scheduler.reasons import WaitReason
from anka_scheduler.shape import Shape
from support.objects import TEMPLATE, template

OTHER = "11111111-1111-1111-1111-111111111111"
CATALOG = TemplateCatalog(
    [
        template(tags=("v1", "v2", "v1")),
        template(OTHER, "twin"),
        template("22222222-2222-2222-2222-222222222222", "twin"),
        template("33333333-3333-3333-3333-333333333333", "new", ()),
        template("44444444-4444-4444-4444-444444444444", "old", meta={"deletionTimestamp": "2026-01-01T00:00:00Z"}),
        template("55555555-5555-5555-5555-555555555555", "intel", ("only",), arch="amd64"),
        template("66666666-6666-6666-6666-666666666666", "many", tuple(f"t{number}" for number in range(8))),
    ]
)


@pytest.mark.parametrize(
    ("shape", "tag", "version"),
    [
        (Shape(TEMPLATE), "v1", 2),
        (Shape(TEMPLATE.upper()), "v1", 2),
        (Shape("macos-15"), "v1", 2),
        (Shape("macos-15", tag="v2"), "v2", 1),
        (Shape("macos-15", tag="v1"), "v1", 2),
        (Shape("macos-15", version=0), "v1", 0),
    ],
)
def test_resolved(shape: Shape, tag: str, version: int) -> None:
    assert CATALOG.resolve(shape) == ResolvedVersion(TEMPLATE, "macos-15", tag, version, "arm64")


@pytest.mark.parametrize("word", ["macos-15", "Sequoia", TEMPLATE])
def test_a_template_with_a_display_name_still_has_its_name_in_the_registry(word: str) -> None:
    catalog = TemplateCatalog([template(displayName="Sequoia"), template(OTHER, "other")])
    assert catalog.resolve(Shape(word)) == ResolvedVersion(TEMPLATE, "Sequoia", "v2", 1, "arm64")


def test_a_display_name_that_is_the_name_of_another_is_no_guess() -> None:
    catalog = TemplateCatalog([template(), template(OTHER, "other", displayName="macos-15")])
    found = catalog.find("macos-15")
    assert isinstance(found, WaitReason)
    assert found.reason == "TemplateAmbiguous"


def test_a_display_name_that_repeats_the_name_is_one_name() -> None:
    found = TemplateCatalog([template(displayName="macos-15")]).find("macos-15")
    assert not isinstance(found, WaitReason)


def test_the_architecture_is_that_of_the_version() -> None:
    found = CATALOG.resolve(Shape("intel"))
    assert isinstance(found, ResolvedVersion)
    assert found.arch == "amd64"


@pytest.mark.parametrize(
    ("shape", "reason", "words"),
    [
        (Shape("nonesuch"), "TemplateNotFound", "No template nonesuch in the registry"),
        (Shape("old"), "TemplateNotFound", "No template old in the registry"),
        (Shape("twin"), "TemplateAmbiguous", f"2 templates are called twin: give one's UUID ({OTHER}, "),
        (Shape("new"), "TemplateNotReady", "The registry shows no version of template new yet"),
        (Shape("macos-15", tag="v9"), "TagNotFound", "Template macos-15 has no tag v9: it has v1, v2, v1"),
        (Shape("macos-15", version=9), "VersionNotFound", "Template macos-15 has no version 9: it has tags v1, v2, v1"),
        (Shape("many", tag="x"), "TagNotFound", "it has t3, t4, t5, t6, t7 and 3 older"),
    ],
)
def test_unresolved(shape: Shape, reason: str, words: str) -> None:
    found = CATALOG.resolve(shape)
    assert isinstance(found, WaitReason)
    assert found.reason == reason
    assert words in found.message
