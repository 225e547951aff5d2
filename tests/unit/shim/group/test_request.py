from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from anka_crds.api import AnkaNode, AnkaTemplate, NodeGroup
from anka_shim.failure import Failure
from anka_shim.group.request import (
    CreateGroup,
    Names,
    NodesOfGroups,
    UpdateGroup,
    group_manifest,
    group_patch,
    read_membership,
    with_groups,
    without_groups,
)
from support.rest import read


def made(name: str, **spec: Any) -> NodeGroup:
    return NodeGroup.from_api({"metadata": {"name": name}, "spec": spec})


GROUPS = {
    "ios": made("ios", displayName="iOS builds", fallbackGroup="spare"),
    "spare": made("spare", displayName="Spare", description="the rest", fallbackGroup="old"),
    "old": made("old", displayName="Twin"),
    "older": made("older", displayName="Twin"),
    "round": made("round", fallbackGroup="about"),
    "about": made("about", fallbackGroup="round"),
}


class Catalog:
    def template(self, id_: str) -> AnkaTemplate | None:
        return None

    def templates_named(self, name: str) -> Sequence[AnkaTemplate]:
        return ()

    def node(self, id_: str) -> AnkaNode | None:
        return AnkaNode.from_api({"metadata": {"name": id_}}) if id_ in ("mac-1", "mac-2") else None

    def nodes_named(self, name: str) -> list[AnkaNode]:
        return []

    def group(self, id_: str) -> NodeGroup | None:
        return GROUPS.get(id_)

    def groups_named(self, name: str) -> Sequence[NodeGroup]:
        return [group for group in GROUPS.values() if group.spec.display_name == name]


@pytest.mark.parametrize(
    ("data", "spec"),
    [
        ({"name": "New"}, {"displayName": "New"}),
        ({"name": "New", "description": "", "fallback_group_id": ""}, {"displayName": "New"}),
        ({"name": "New", "description": None, "fallback_group_id": None, "odd": 1}, {"displayName": "New"}),
        ({"name": 7, "description": "d"}, {"displayName": "7", "description": "d"}),
        ({"name": "New", "fallback_group_id": "ios"}, {"displayName": "New", "fallbackGroup": "ios"}),
        ({"name": "New", "fallback_group_id": "iOS builds"}, {"displayName": "New", "fallbackGroup": "ios"}),
        # A circle of others is their trouble: what is asked for here adds nothing to it.
        ({"name": "New", "fallback_group_id": "round"}, {"displayName": "New", "fallbackGroup": "round"}),
    ],
)
def test_manifest(data: dict[str, Any], spec: dict[str, Any]) -> None:
    body = group_manifest("id-1", read(CreateGroup, data), Catalog(), GROUPS.values())
    assert (body["kind"], body["metadata"], body["spec"]) == ("NodeGroup", {"name": "id-1"}, spec)
    NodeGroup.from_api(body)


@pytest.mark.parametrize(
    ("id_", "data", "spec"),
    [
        ("ios", {}, {}),
        ("ios", {"name": "iOS builds"}, {"displayName": "iOS builds"}),
        ("ios", {"name": ""}, {}),
        ("ios", {"description": ""}, {"description": ""}),
        ("ios", {"description": None}, {"description": ""}),
        ("ios", {"fallback_group_id": None}, {"fallbackGroup": None}),
        ("ios", {"fallback_group_id": ""}, {"fallbackGroup": None}),
        ("ios", {"fallback_group_id": "old"}, {"fallbackGroup": "old"}),
        ("old", {"fallback_group_id": "older"}, {"fallbackGroup": "older"}),
    ],
)
def test_patch(id_: str, data: dict[str, Any], spec: dict[str, Any]) -> None:
    assert group_patch(id_, read(UpdateGroup, data), Catalog(), GROUPS.values()) == spec


@pytest.mark.parametrize(
    ("id_", "data", "says"),
    [
        ("ios", {"name": "Spare"}, "name: group spare is called so already (given: 'Spare')"),
        ("ios", {"name": "spare"}, "name: group spare is called so already (given: 'spare')"),
        ("ios", {"name": "x" * 257}, "name: must have at most 256 characters"),
        ("ios", {"name": " "}, "name: must be one line without control characters, and must not begin with '-' or a"),
        ("ios", {"name": "\u3000"}, "name: must be one line"),
        ("ios", {"name": "a\nb"}, "name: must be one line"),
        ("ios", {"name": "-x"}, "name: must be one line"),
        ("ios", {"name": ["x"]}, "name: must be a string (given: ['x'])"),
        ("ios", {"description": "x" * 4097}, "description: must have at most 4096 characters"),
        ("ios", {"fallback_group_id": "nope"}, "fallback_group_id: no such group (given: 'nope')"),
        ("ios", {"fallback_group_id": "Twin"}, "fallback_group_id: 2 groups have this name, give the id of one"),
        ("ios", {"fallback_group_id": "ios"}, "fallback_group_id: a group can't be its own fallback (given: 'ios')"),
        (
            "old",
            {"fallback_group_id": "ios"},
            "fallback_group_id: the fallbacks would go in a circle: old -> ios -> spare -> old (given: 'ios')",
        ),
    ],
)
def test_what_is_refused(id_: str, data: dict[str, Any], says: str) -> None:
    with pytest.raises(Failure) as caught:
        group_patch(id_, read(UpdateGroup, data), Catalog(), GROUPS.values())
    assert caught.value.message.startswith(says)


@pytest.mark.parametrize("data", [{}, {"name": ""}, {"name": None, "description": "d"}])
def test_a_new_group_needs_a_name(data: dict[str, Any]) -> None:
    with pytest.raises(Failure, match=r"^name: is required, the name of the group$"):
        group_manifest("id-1", read(CreateGroup, data), Catalog(), ())


@pytest.mark.parametrize(
    ("data", "leaving", "wanted"),
    [
        ({"group_ids": ["ios"], "node_ids": ["mac-1"]}, False, (("ios",), ("mac-1",))),
        (
            {"group_ids": "iOS builds", "node_ids": ["mac-1", "mac-2", "mac-1"]},
            False,
            (("ios",), ("mac-1", "mac-2")),
        ),
        ({"group_ids": ["gone", "Spare"], "node_ids": ["mac-1"]}, True, (("gone", "spare"), ("mac-1",))),
    ],
)
def test_membership(data: dict[str, Any], leaving: bool, wanted: tuple[Names, Names]) -> None:
    assert read_membership(read(NodesOfGroups, data), Catalog(), leaving=leaving) == wanted


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ({}, "group_ids: is required, an array of ids"),
        ({"group_ids": ["ios"], "node_ids": []}, "node_ids: is required, an array of ids"),
        ({"group_ids": ["ios"], "node_ids": [None, ""]}, "node_ids: is required, an array of ids"),
        ({"group_ids": {"a": 1}, "node_ids": ["mac-1"]}, "group_ids: must be an array of strings (given: {'a': 1})"),
        ({"group_ids": [["ios"]], "node_ids": ["mac-1"]}, "group_ids[0]: must be a string (given: ['ios'])"),
        ({"group_ids": ["nope"], "node_ids": ["mac-1"]}, "group_ids: no such group (given: 'nope')"),
        ({"group_ids": ["ios"], "node_ids": ["mac-9"]}, "node_ids: no such node (given: 'mac-9')"),
    ],
)
def test_membership_that_is_refused(data: dict[str, Any], says: str) -> None:
    with pytest.raises(Failure) as caught:
        read_membership(read(NodesOfGroups, data), Catalog())
    assert caught.value.message == says


def test_lists_keep_their_order() -> None:
    assert with_groups(["b", "a"], ["a", "c"]) == ["b", "a", "c"]
    assert without_groups(["b", "a", "c"], ["a", "x"]) == ["b", "c"]
