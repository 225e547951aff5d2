"""The cluster as one round sees it: what a shape names is resolved once, and kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from anka_crds.api import AnkaNode, NodeGroup
from anka_scheduler.catalog import TemplateCatalog
from anka_scheduler.explain import build_input
from anka_scheduler.node import to_schedulable
from anka_scheduler.reasons import WaitReason, closed_to
from anka_scheduler.shape import to_shape
from anka_scheduler.snapshot import CandidateCache, Candidates, Snapshot, find_candidates
from support.objects import TEMPLATE, group, instance, node, permission_group, template


def snapshot(*nodes: AnkaNode, **fallbacks: str | None) -> Snapshot:
    schedulable = {one.metadata.name: to_schedulable(one) for one in nodes}
    return Snapshot(schedulable, TemplateCatalog([template()]), fallbacks)


def find(world: Snapshot, **spec: Any) -> Candidates:
    found = world.candidates(to_shape(instance(**spec)))
    assert isinstance(found, Candidates), found
    return found


def names(found: Candidates) -> list[str]:
    return [each.name for each, _, _ in found.nodes]


def test_a_fallback_group_counts_and_a_named_node_is_the_only_one() -> None:
    world = snapshot(node("a", groups=["ios"]), node("b", groups=["spare"]), node("c"), ios="spare", spare=None)
    assert names(find(world, group="ios")) == ["a", "b"]
    assert names(find(world, group="spare")) == ["b"]
    found = find(world, node="c")
    assert (names(found), found.only, found.total) == (["c"], "c", 1)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"template": "none"}, "No template none in the registry"),
        ({"tag": "v9"}, "Template macos-15 has no tag v9: it has v1, v2"),
        ({"group": "none"}, "There is no NodeGroup none"),
        ({"node": "mac-9"}, "There is no node mac-9"),
    ],
)
def test_what_a_shape_names_and_does_not_exist(spec: dict[str, Any], message: str) -> None:
    found = snapshot(node()).candidates(to_shape(instance(**spec)))
    assert isinstance(found, WaitReason)
    assert found.message == message


def called(*nodes: AnkaNode, groups: Sequence[NodeGroup] = ()) -> Snapshot:
    return build_input(nodes=nodes, templates=[template()], groups=groups).snapshot


def test_groups_and_nodes_are_found_by_the_names_that_people_gave_them() -> None:
    groups = [group("g-1", "the spare", called="iOS Team"), group("g-2", called="the spare")]
    groups += [group("g-3", called="twin"), group("g-4", called="twin")]
    macs = [node("a", groups=["iOS Team"], displayName="Mac A"), node("b", groups=["g-1"]), node("c", groups=["g-2"]),
            node("d", displayName="Mac D"), node("e", displayName="Mac D")]  # fmt: skip
    world = called(*macs, groups=groups)
    for word in ("iOS Team", "g-1"):
        assert names(find(world, group=word)) == ["a", "b", "c"]
    assert names(find(world, node="Mac A")) == ["a"]
    refused: list[tuple[dict[str, Any], str]] = [
        ({"group": "IOS team"}, "There is no NodeGroup IOS team"),
        ({"group": "twin"}, "2 NodeGroups are called twin: give the metadata.name of one: g-3, g-4"),
        ({"node": "Mac D"}, "2 nodes are called Mac D: give the metadata.name of one: d, e"),
    ]
    for spec, message in refused:
        found = world.candidates(to_shape(instance(**spec)))
        assert isinstance(found, WaitReason)
        assert found.message == message


def test_a_permission_group_has_the_nodes_that_its_resources_permit() -> None:
    macs = [node("a"), node("b"), node("c")]
    ios = permission_group("ios", nodes={"a": ["create_instance", "list"], "b": ["list"]})
    web = permission_group("web", templates={TEMPLATE: ["list"]})
    for groups, spec, found in (
        ([ios, web], {}, ["a", "b", "c"]),
        ([ios, web], {"permissionGroup": "ios"}, ["a"]),
        ([ios, web], {"permissionGroup": "web"}, ["a", "b", "c"]),
        (None, {"permissionGroup": "ios"}, ["a", "b", "c"]),
        (None, {"permissionGroup": "gone"}, ["a", "b", "c"]),
    ):
        world = build_input(nodes=macs, templates=[template()], permission_groups=groups).snapshot
        assert names(find(world, **spec)) == found, (groups, spec)
    world = build_input(nodes=macs, templates=[template()], permission_groups=[ios]).snapshot
    assert find(world, permissionGroup="ios").rejections == {closed_to("ios"): 2}
    for name in ("web", "IOS"):
        missing = world.candidates(to_shape(instance(permissionGroup=name)))
        assert isinstance(missing, WaitReason)
        assert (missing.reason, missing.message) == ("PermissionGroupNotFound", f"There is no PermissionGroup {name}")


def test_candidates_are_computed_once_for_each_shape() -> None:
    world = snapshot(node())
    assert find(world, tag="v1") is find(world, tag="v1")
    assert find(world, tag="v1") is not find(world, tag="v2")


@pytest.mark.parametrize("wanted", ["ios", "spare", "loop", "empty"])
def test_who_is_in_a_group_is_looked_up_as_if_each_node_were_asked(wanted: str) -> None:
    both = node("d", groups=["ios", "spare"])
    macs = (node("a", groups=["spare"]), node("b"), node("c", groups=["ios"], state="Offline"), both)
    world = snapshot(*macs, ios="spare", spare=None, loop="ios", empty=None)
    found = find(world, group=wanted)
    asked = find_candidates(found.requirements, world.nodes.values())
    assert sorted(found.nodes, key=lambda each: each[0].name) == sorted(asked.nodes, key=lambda each: each[0].name)
    assert (found.rejections, found.total) == (asked.rejections, asked.total)


def test_members_are_forgotten_with_the_nodes() -> None:
    cache = CandidateCache()
    assert len(cache.members(["ios"], [to_schedulable(node("a", groups=["ios"]))])) == 1
    cache.clear()
    assert not cache.members(["ios"], [to_schedulable(node("a"))])


def test_a_vlan_is_checked_only_where_some_mac_reports_its_vlans() -> None:
    shape = {"network": {"mode": "bridge", "vlan": "12"}}
    reporting = node("b", status={"vlans": ["7"]})
    assert find(snapshot(node("a")), **shape).requirements.vlan is None
    assert find(snapshot(node("a"), reporting), **shape).requirements.vlan == "12"
