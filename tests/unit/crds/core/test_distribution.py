from __future__ import annotations

from typing import Any

import pytest

from anka_crds.api.distribution import TemplateDistributionSpec
from anka_crds.api.template import DistributionRule, TemplateVersion
from anka_crds.core.distribution import MAX_TARGETS, is_finished, keeps, targets, version_of
from support.objects import distribution, node

NODES = [node("b", groups=["ios", "big"]), node("a"), node("c", groups=["ios"], state="Offline")]
VERSIONS = [TemplateVersion(number=number, tag=tag) for number, tag in ((0, "v1"), (3, "v2"), (4, "v1"))]


@pytest.mark.parametrize(
    ("spec", "names"),
    [
        ({}, ["a", "b", "c"]),
        ({"group": "ios"}, ["b", "c"]),
        ({"group": "none"}, []),
        ({"nodes": ["c", "gone"]}, ["c", "gone"]),
        ({"nodes": []}, ["a", "b", "c"]),
        ({"action": "Remove", "group": "big"}, ["b"]),
    ],
)
def test_targets(spec: dict[str, Any], names: list[str]) -> None:
    assert targets(TemplateDistributionSpec.model_validate({"template": "t", **spec}), NODES) == names


def test_no_more_targets_than_the_status_can_hold() -> None:
    many = [node(f"mac-{number:04}") for number in range(MAX_TARGETS + 1)]
    assert len(targets(TemplateDistributionSpec(template="t"), many)) == MAX_TARGETS


@pytest.mark.parametrize(
    ("rule", "names"),
    [
        ({}, ["b", "a", "c"]),
        ({"groups": ["ios"]}, ["b", "c"]),
        ({"nodes": ["a"]}, ["a"]),
        ({"nodes": ["a"], "groups": ["big", "none"]}, ["b", "a"]),
        ({"groups": ["none"]}, []),
    ],
)
def test_keeps(rule: dict[str, Any], names: list[str]) -> None:
    made = DistributionRule.model_validate(rule)
    assert [one.metadata.name for one in NODES if keeps(made, one)] == names


@pytest.mark.parametrize(
    ("tag", "number", "found"),
    [
        (None, None, 4),
        ("v2", None, 3),
        ("v1", None, 4),
        (None, 0, 0),
        ("v9", None, None),
        (None, 1, None),
    ],
)
def test_version_of(tag: str | None, number: int | None, found: int | None) -> None:
    version = version_of(VERSIONS, tag, number)
    assert (version.number if version is not None else None) == found


def test_a_template_without_versions_has_no_latest() -> None:
    assert version_of([], None, None) is None


@pytest.mark.parametrize(
    ("phase", "finished"),
    [("Pending", False), ("Running", False), ("Done", True), ("Error", True), ("Cancelled", True)],
)
def test_is_finished(phase: str, finished: bool) -> None:
    assert is_finished(distribution(status={"phase": phase}).status) is finished
