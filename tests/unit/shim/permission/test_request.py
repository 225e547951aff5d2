from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from anka_crds.api import PermissionGroup
from anka_crds.api.permission_group import PermittedResource
from anka_crds.api.permissions import PERMISSIONS_OF, ControllerPermission, ResourceKind
from anka_shim.failure import Failure
from anka_shim.http.request import describe
from anka_shim.http.rights import PERMISSION_PATHS
from anka_shim.permission.request import (
    Permissions,
    PermitResource,
    object_name,
    permission_group_manifest,
    read_name,
    read_resources,
    with_resources,
)

PERMISSIONS: TypeAdapter[list[ControllerPermission]] = TypeAdapter(Permissions)
RESOURCES = TypeAdapter(list[PermitResource])


@pytest.mark.parametrize("prefix", PERMISSION_PATHS)
@pytest.mark.parametrize("ending", ["", "resources", "permissions"])
@given(
    name=st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=40).filter(lambda x: x[0] != "-")
)
def test_any_name_can_be_in_the_path(prefix: str, ending: str, name: str) -> None:
    path = f"{prefix}/group/{quote(name, safe='')}" + (f"/{ending}" if ending else "")
    assert read_name(path.encode(), ending) == name
    assert read_name(f"/{path.replace('/group/', '//group/')}/".encode(), ending) == name


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("iOS%20Team/resources", "iOS Team"),
        ("release/1/resources", "release/1"),
        ("release%2F%2F1/resources", "release//1"),
        ("a%2F/resources", "a/"),
        ("../resources", ".."),
        ("%2e%2e/resources", ".."),
        ("resources/resources", "resources"),
        ("%252F/resources", "%2F"),
        ("%C3%A9/resources", "é"),
        ("%FF/resources", "\ufffd"),
    ],
)
def test_names_that_look_like_paths(path: str, name: str) -> None:
    assert read_name(f"/admin/v1/api/permission/group/{path}".encode(), "resources") == name


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("/admin%2Fv1/api/permission/group/a/b/resources", "the path: write '/' as %2F"),
        ("/admin/v1/api/permission/group/a%2Fresources", "the path: write '/' as %2F"),
        ("/admin/v1/api/permission/group/-a/resources", "must not begin with '-' or a blank"),
        ("/admin/v1/api/permission/group/%20a/resources", "must not begin with '-' or a blank"),
        ("/admin/v1/api/permission/group/a%0Ab/resources", "must be one line"),
        ("/admin/v1/api/permission/group/%00/resources", "must be one line"),
        (f"/admin/v1/api/permission/group/{'x' * 257}/resources", "must have at most 256 characters"),
    ],
)
def test_names_that_are_none(path: str, told: str) -> None:
    with pytest.raises(Failure, match=told):
        read_name(path.encode(), "resources")


def test_both_spellings_of_an_id_are_one_permission() -> None:
    given = ["view_prmission_groups", "list_vms", "view_permission_groups", "list_vms", ""]
    assert PERMISSIONS.validate_python(given) == ["view_permission_groups", "list_vms"]


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (["list_vms", "nonsense"], "[1]: no such permission, see GET permission/permissions (given: 'nonsense')"),
        ([{}], "[0]: must be a string (given: {})"),
    ],
)
def test_permissions_that_are_none(body: object, told: str) -> None:
    with pytest.raises(ValidationError) as failed:
        PERMISSIONS.validate_python(body)
    error = failed.value.errors()[0]
    assert describe([{**error, "loc": ("body", *error["loc"])}]) == told


@pytest.mark.parametrize(
    ("one", "told"),
    [
        ({"type": "node"}, "[0].id: is required, the id of a node or template"),
        ({"id": "", "type": "node"}, "[0].id: is required, the id of a node or template"),
        ({"id": "x" * 257, "type": "node"}, "[0].id: must have at most 256 characters"),
        ({"id": "a"}, "[0].type: must be node or template (given: None)"),
        ({"id": "a", "type": ["node"]}, "[0].type: must be node or template (given: ['node'])"),
        ({"id": "a", "type": "node", "id_type": "name"}, "[0].id_type: must be id (given: 'name')"),
        ({"id": "a", "type": "node", "permissions": [1.5]}, "[0].permissions[0]: must be a string (given: 1.5)"),
        (7, "[0]: must be an object (given: 7)"),
    ],
)
def test_resources_that_are_none(one: object, told: str) -> None:
    with pytest.raises(ValidationError) as failed:
        RESOURCES.validate_python([one])
    error = failed.value.errors()[0]
    assert describe([{**error, "loc": ("body", *error["loc"])}]).startswith(told)


def test_permissions_are_those_of_the_type() -> None:
    wrong = RESOURCES.validate_python([{"id": "a", "type": "node", "permissions": ["list", "pull"]}])
    with pytest.raises(Failure) as failed:
        read_resources(wrong)
    known = "change_config, create_instance, delete_template, distribute, force_upgrade, list, remove"
    assert str(failed.value) == f"[0].permissions: those of a node are {known} (given: 'pull')"
    with pytest.raises(Failure, match="at most 2048 nodes and templates"):
        read_resources(RESOURCES.validate_python([{"id": "a", "type": "node"}]) * 2049)


ONE = st.sampled_from(ResourceKind).flatmap(
    lambda type_: st.builds(
        PermittedResource,
        type=st.just(type_),
        id=st.sampled_from("abc"),
        permissions=st.lists(st.sampled_from(PERMISSIONS_OF[type_]), unique=True),
    )
)


@given(st.lists(ONE), st.lists(ONE))
def test_what_is_given_takes_the_place_of_its_types(
    present: list[PermittedResource], given: list[PermittedResource]
) -> None:
    for type_ in ResourceKind:
        before, now = ([one for one in some if one.type is type_] for some in (present, given))
        after = [one for one in with_resources(present, given) if one.type is type_]
        assert after == (now if now or not given else before)


def test_the_object_can_be_read_and_has_a_valid_name() -> None:
    manifest = permission_group_manifest("iOS Team / é", {"controllerPermissions": ["list_vms"]})
    made = PermissionGroup.model_validate(manifest)
    assert (made.spec.display_name, made.metadata.name) == ("iOS Team / é", object_name("iOS Team / é"))
    assert made.metadata.name.startswith("permissions-")
    assert len(made.metadata.name) < 63
