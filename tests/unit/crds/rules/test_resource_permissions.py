"""What groups permit, against a rule that looks at every resource of every group."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from anka_crds.api import PermissionGroup
from anka_crds.api.permissions import NodePermission, TemplatePermission
from anka_crds.rules.resource_permissions import (
    ON_ANY_NODE,
    ResourcePermissions,
    effective_groups,
    list_permissions,
)
from support.objects import permission_group

IDS = ("a", "b", "c")
_nodes = st.dictionaries(st.sampled_from(IDS), st.lists(st.sampled_from(list(NodePermission)), unique=True))
_templates = st.dictionaries(st.sampled_from(IDS), st.lists(st.sampled_from(list(TemplatePermission)), unique=True))
_groups = st.lists(
    st.builds(lambda nodes, templates: permission_group("g", nodes=nodes, templates=templates), _nodes, _templates),
    max_size=4,
)


def permits(groups: list[PermissionGroup], type_: str, id_: str, permission: str) -> bool:
    """By the sentences of the documentation."""
    for group in groups:
        own = [one for one in group.spec.resources if one.type == type_]
        if any(one.id == id_ and permission in one.permissions for one in own):
            return True
        if type_ == "node" and not own and permission in ("create_instance", "distribute"):
            return True
    return False


@given(_groups)
def test_of_several_groups_all_that_any_permits_counts(groups: list[PermissionGroup]) -> None:
    found = ResourcePermissions(groups)
    for id_ in (*IDS, "unknown"):
        for permission in NodePermission:
            assert found.permits_node(id_, permission) == permits(groups, "node", id_, permission)
        for wanted in TemplatePermission:
            assert found.permits_template(id_, wanted) == permits(groups, "template", id_, wanted)
        both = (TemplatePermission.LIST, TemplatePermission.PULL)
        assert found.permits_template(id_, *both) == all(permits(groups, "template", id_, one) for one in both)
    assert found.listed_nodes() == {id_ for id_ in IDS if found.permits_node(id_, NodePermission.LIST)}
    for permission in NodePermission:
        some = any(permits(groups, "node", id_, permission) for id_ in (*IDS, "unknown"))
        assert found.permits_some_node(permission) == some


@given(_groups, _groups)
def test_a_group_more_takes_nothing_away(some: list[PermissionGroup], more: list[PermissionGroup]) -> None:
    few, many = ResourcePermissions(some), ResourcePermissions([*some, *more])
    for id_ in (*IDS, "unknown"):
        for permission in NodePermission:
            assert few.permits_node(id_, permission) <= many.permits_node(id_, permission)
        for wanted in TemplatePermission:
            assert few.permits_template(id_, wanted) <= many.permits_template(id_, wanted)


def test_who_is_in_no_group_may_do_nothing() -> None:
    found = ResourcePermissions(())
    assert not any(found.permits_some_node(one) for one in NodePermission)
    assert not any(found.permits_template("a", one) for one in TemplatePermission)


def test_a_group_without_nodes_starts_everywhere_and_sees_none() -> None:
    found = ResourcePermissions([permission_group("g")])
    assert {one for one in NodePermission if found.permits_node("any", one)} == ON_ANY_NODE


def test_a_uuid_may_be_written_in_capitals() -> None:
    found = ResourcePermissions([permission_group("g", templates={"0BF1A7E8-BE95": ["list"]})])
    assert found.permits_template("0bf1a7e8-be95", TemplatePermission.LIST)


@given(st.lists(st.tuples(st.sampled_from("xyz"), st.integers(0, 3)), max_size=6))
def test_of_several_with_one_name_the_oldest_counts(made: list[tuple[str, int]]) -> None:
    groups = [
        permission_group(f"object-{number}", called=name, meta={"age": age}) for number, (name, age) in enumerate(made)
    ]
    found = effective_groups(groups)
    assert set(found) == {name for name, _ in made} == set(list_permissions(groups))
    for name, group in found.items():
        same = [one for one in groups if one.spec.display_name == name]
        assert group is min(same, key=lambda one: (str(one.metadata.creation_timestamp), one.metadata.name))
