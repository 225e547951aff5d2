from __future__ import annotations

from typing import Any

import pytest

from anka_crds.api.distribution import TemplateDistributionSpec
from anka_crds.api.limits import MAX_TARGETS
from anka_crds.api.template import DistributionRule, TemplateVersion
from anka_crds.rules.distribution import find_closed, find_version, is_finished, select_targets, selects
from anka_crds.rules.references import NameCatalog
from anka_crds.rules.resource_permissions import ResourcePermissions
from support.objects import distribution, group, node, permission_group

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
    assert select_targets(TemplateDistributionSpec.model_validate({"template": "t", **spec}), NODES) == names


@pytest.mark.parametrize(
    ("spec", "names", "closed"),
    [
        ({}, ["a"], {"b", "c"}),
        ({"group": "ios"}, [], {"b", "c"}),
        ({"nodes": ["a", "c", "gone"]}, ["a", "gone"], {"b", "c"}),
        ({"action": "Remove"}, ["b"], {"a", "c"}),
    ],
)
def test_a_permission_group_has_the_macs_that_its_resources_permit(
    spec: dict[str, Any], names: list[str], closed: set[str]
) -> None:
    wanted = TemplateDistributionSpec.model_validate({"template": "t", **spec})
    group = permission_group("ios", nodes={"a": ["distribute"], "b": ["delete_template"], "c": ["create_instance"]})
    permissions = ResourcePermissions([group])
    assert select_targets(wanted, NODES, permissions=permissions) == names
    assert find_closed(wanted, NODES, permissions) == closed
    assert find_closed(wanted, NODES, None) == frozenset()


def test_names_mean_ids() -> None:
    groups = NameCatalog([group("g-1", called="iOS Team"), group("g-2", called="twin"), group("g-3", called="twin")])
    macs = [node("m1", groups=["iOS Team"]), node("m2", groups=["g-1"], displayName="Mac 2")]
    macs.append(node("m3", groups=["twin"]))
    for word in ("iOS Team", "g-1"):
        assert select_targets(TemplateDistributionSpec(template="t", group=word), macs, groups) == ["m1", "m2"]
    both = TemplateDistributionSpec(template="t", nodes=["Mac 2", "gone"])
    assert select_targets(both, macs, groups) == ["gone", "m2"]
    nodes = NameCatalog(macs)
    for rule, chosen in (
        (DistributionRule(groups=["iOS Team"]), ["m1", "m2"]),
        (DistributionRule(groups=["g-1"]), ["m1", "m2"]),
        (DistributionRule(nodes=["Mac 2"]), ["m2"]),
    ):
        assert [one.metadata.name for one in macs if selects(rule, one, groups, nodes)] == chosen


def test_every_mac_is_a_target() -> None:
    many = [node(f"mac-{number:04}") for number in range(MAX_TARGETS + 1)]
    assert len(select_targets(TemplateDistributionSpec(template="t"), many)) == MAX_TARGETS + 1


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
    assert [one.metadata.name for one in NODES if selects(made, one)] == names


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
    version = find_version(VERSIONS, tag, number)
    assert (version.number if version is not None else None) == found


def test_a_template_without_versions_has_no_latest() -> None:
    assert find_version([], None, None) is None


@pytest.mark.parametrize(
    ("phase", "finished"),
    [("Pending", False), ("Running", False), ("Done", True), ("Error", True), ("Cancelled", True)],
)
def test_is_finished(phase: str, finished: bool) -> None:
    assert is_finished(distribution(status={"phase": phase}).status) is finished
