"""Types and reasons of conditions stand in one module, and nowhere else as text."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from anka_crds.api import KINDS_WITH_STATUS
from anka_crds.api.conditions import (
    CONDITIONS,
    ConditionReason,
    ConditionType,
    DistributionReason,
    DocumentedEnum,
    EventReason,
    InitialReason,
    InstanceReason,
)

ROOT = Path(__file__).parents[4]
VOCABULARY = ROOT / "crds/anka_crds/api/conditions.py"
REASONS: list[type[ConditionReason]] = [InitialReason, *(reasons for _, reasons in CONDITIONS.values())]
ENUMS: list[type[DocumentedEnum]] = [ConditionType, EventReason, *REASONS]
WORDS = {member.value for enum in ENUMS for member in enum}
DISTINCT = {word for word in WORDS if re.fullmatch(r"([A-Z]+[a-z]+){2,}", word)} | {"Reconciling", "Stalled"}
"""Words that mean nothing else: "Active" is also a state of a node, "Started" also a phase."""


@cache
def product() -> list[tuple[Path, ast.Module]]:
    files = [path for room in ("crds", "operator", "agent", "api-shim") for path in (ROOT / room).rglob("*.py")]
    return [(path, ast.parse(path.read_text())) for path in files if path != VOCABULARY]


def literals() -> Iterator[tuple[str, str]]:
    for path, tree in product():
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield f"{path.relative_to(ROOT)}:{node.lineno}", node.value


def members() -> set[str]:
    """`Class.MEMBER`, wherever the product names one."""
    return {
        f"{node.value.id}.{node.attr}"
        for _, tree in product()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
    }


def test_no_type_or_reason_is_written_as_text_elsewhere() -> None:
    assert [(where, text) for where, text in literals() if text in DISTINCT] == []


@pytest.mark.parametrize("enum", ENUMS)
def test_every_member_is_in_use(enum: type[DocumentedEnum]) -> None:
    assert {f"{enum.__name__}.{member.name}" for member in enum} <= members() | passed_on()


def passed_on() -> set[str]:
    """What a TemplateDistribution takes over from the look-up of its template, by value."""
    lookups = ("TEMPLATE_NOT_FOUND", "TEMPLATE_AMBIGUOUS", "TEMPLATE_NOT_READY", "TAG_NOT_FOUND", "VERSION_NOT_FOUND")
    names = [*lookups, "GROUP_NOT_FOUND", "PERMISSION_GROUP_NOT_FOUND"]
    assert {InstanceReason[name].value for name in names} == {DistributionReason[name].value for name in names}
    return {f"DistributionReason.{name}" for name in names}


@pytest.mark.parametrize("member", [member for enum in ENUMS for member in enum], ids=repr)
def test_members_are_valid_and_explained(member: DocumentedEnum) -> None:
    assert re.fullmatch(r"[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?", member.value)
    assert re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=TTL)", "_", member.value).upper() == member.name
    assert re.fullmatch(r"[A-Za-z`].+\.", member.meaning)


def test_every_kind_has_its_vocabulary() -> None:
    assert list(CONDITIONS) == sorted(kind.__name__ for kind in KINDS_WITH_STATUS)
    assert set(ConditionReason.__subclasses__()) == set(REASONS)


@pytest.mark.parametrize("type_", ConditionType)
def test_a_type_is_one_of_the_kind_that_it_names_and_of_no_other(type_: ConditionType) -> None:
    named = re.match(r"(\w+): ", type_.meaning)
    kinds = [kind for kind, (types, _) in CONDITIONS.items() if type_ in types]
    assert kinds == ([named[1]] if named else list(CONDITIONS))


def test_a_reason_of_another_version_does_not_stop_us() -> None:
    assert DistributionReason.parse("NoMacs", DistributionReason.RUNNING) is DistributionReason.NO_MACS
    assert DistributionReason.parse("OfVersion9", DistributionReason.RUNNING) is DistributionReason.RUNNING
