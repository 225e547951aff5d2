"""A member of permission groups sees in the portal what REST shows them."""

from __future__ import annotations

from typing import Any

import pytest

from anka_shim.access.resource_rights import ResourceRights
from anka_shim.http.authentication import Principal
from anka_shim.portal.visibility import EVERYTHING, find_visibility
from anka_shim.store.caches import Stores
from support.objects import TEMPLATE, distribution, instance, node, permission_group, save_image

MEMBER = Principal("jenkins", frozenset({"ios"}))


@pytest.fixture
def stores() -> Stores:
    made = Stores("default", with_permission_groups=True)
    resources: dict[str, Any] = {
        "nodes": {"mac-1": ["list"], "mac-2": ["create_instance"]},
        "templates": {TEMPLATE: ["list"]},
    }
    made.permission_groups.observe(permission_group("ios", **resources))
    for name in ("mac-1", "mac-2"):
        made.nodes.observe(node(name))
    for owner in ("ios", "web"):
        made.instances.observe(instance(f"of-{owner}", permissionGroup=owner))
        made.saves.observe(save_image(f"save-{owner}", f"of-{owner}"))
        made.distributions.observe(distribution(f"pull-{owner}", permissionGroup=owner))
    return made


def test_rows_of_a_member(stores: Stores) -> None:
    seen = find_visibility(ResourceRights(stores, is_on=True), stores, MEMBER)

    def id_of(owner: str) -> str:
        found = stores.instances.get(f"of-{owner}", "default")
        assert found is not None
        return stores.id_of(found)

    for kind, shown, hidden in (
        ("nodes", "mac-1", "mac-2"),
        ("templates", TEMPLATE, "another"),
        ("instances", id_of("ios"), id_of("web")),
        ("instances", id_of("ios"), "gone"),
        ("saves", "uid-save-ios", "uid-save-web"),
        ("distributions", "pull-ios", "pull-web"),
        ("cloud", "cloud", ""),
    ):
        assert seen.shows(kind, shown), (kind, shown)
        assert not hidden or not seen.shows(kind, hidden), (kind, hidden)
    assert not seen.shows("groups", "ios")


def test_who_is_not_restricted_sees_everything(stores: Stores) -> None:
    assert find_visibility(ResourceRights(stores), stores, MEMBER) is EVERYTHING
    root = Principal("root", is_root=True)
    assert find_visibility(ResourceRights(stores, is_on=True), stores, root) is EVERYTHING


def test_one_message_for_all_who_see_the_same_and_a_new_one_after_a_change(stores: Stores) -> None:
    rights = ResourceRights(stores, is_on=True)
    first = find_visibility(rights, stores, MEMBER)
    assert (first.key, first) == (find_visibility(rights, stores, MEMBER).key, find_visibility(rights, stores, MEMBER))
    assert first.key == find_visibility(rights, stores, Principal("other", frozenset({"ios"}))).key
    assert first.key != find_visibility(rights, stores, Principal("other", frozenset({"web"}))).key
    stores.permission_groups.observe(permission_group("web"))
    assert first.key != find_visibility(rights, stores, MEMBER).key
