"""/admin/api/v1/permission, as clients and people use it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from anka_crds.resources import PERMISSION_GROUPS
from anka_shim.http.rights import PERMISSION_PATHS
from anka_shim.permission.answer import PermissionGroupListOk, PermittedResourceListOk, SavedOk
from anka_shim.permission.request import object_name
from support.api_keys import ROOT, with_keys
from support.shim_rig import Rig, rig

GROUP = "/admin/v1/api/permission/group"
SAVED = {"status": "OK", "message": "Saved"}
NODE = {"id": "3c10", "id_type": "id", "type": "node", "permissions": ["list", "create_instance"]}
TEMPLATE = {"id": "c12c", "type": "template", "permissions": ["pull"]}


@pytest.fixture
async def shim(tmp_path: Path) -> AsyncIterator[Rig]:
    async with with_keys(tmp_path, enable_authorization=True) as found:
        found.http.headers.update(ROOT)
        yield found


def stored(shim: Rig, name: str) -> Any:
    return shim.api.objects["permissiongroups"][("", object_name(name))]["spec"]


@pytest.mark.parametrize("prefix", PERMISSION_PATHS)
async def test_a_life(shim: Rig, prefix: str) -> None:
    group = f"{prefix}/group"
    team = f"{group}/iOS%20Team"
    assert await shim.body("GET", group) == []
    assert await shim.body("GET", f"{team}/resources") == []
    answer = await shim.call("POST", f"{team}/permissions", json=["start_vm", "list_vms", "view_prmission_groups"])
    SavedOk.model_validate(answer)
    assert answer == SAVED
    assert stored(shim, "iOS Team") == {
        "displayName": "iOS Team",
        "controllerPermissions": ["start_vm", "list_vms", "view_permission_groups"],
    }
    listed = await shim.call("GET", group)
    PermissionGroupListOk.model_validate(listed)
    assert listed["body"] == [{"name": "iOS Team", "permissions": ["list_vms", "start_vm", "view_permission_groups"]}]
    assert await shim.call("POST", f"{team}/resources", json=[NODE]) == SAVED
    assert await shim.call("POST", f"{team}/resources", json=[TEMPLATE]) == SAVED
    resources = await shim.call("GET", f"{team}/resources")
    PermittedResourceListOk.model_validate(resources)
    assert resources["body"] == [
        {"id": "3c10", "id_type": "id", "type": "node", "permissions": ["create_instance", "list"]},
        {"id": "c12c", "id_type": "id", "type": "template", "permissions": ["pull"]},
    ]
    assert await shim.call("POST", f"{team}/resources", json=[]) == SAVED
    assert await shim.body("GET", f"{team}/resources") == []
    assert await shim.call("POST", f"{team}/permissions", json=[]) == SAVED
    assert await shim.body("GET", group) == [{"name": "iOS Team", "permissions": []}]
    assert await shim.call("DELETE", team) == {"status": "OK", "message": ""}
    assert await shim.body("GET", group) == []
    assert await shim.message("DELETE", team) == "Not found"


async def test_resources_alone_make_a_group_without_permissions(shim: Rig) -> None:
    await shim.call("POST", f"{GROUP}/a%2F%2Fb/resources", json=[TEMPLATE])
    assert await shim.body("GET", GROUP) == [{"name": "a//b", "permissions": []}]


async def test_in_any_content_type(shim: Rig) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert await shim.call("POST", f"{GROUP}/a/permissions", content=b'["list_vms"]', headers=form) == SAVED


@pytest.mark.parametrize(
    ("path", "body", "told"),
    [
        ("permissions", b"", "the request body is empty: it must be a JSON array"),
        ("permissions", b"{}", "the request body must be a JSON array, not an object"),
        ("permissions", b'["x"]', "[0]: no such permission, see GET permission/permissions (given: 'x')"),
        ("resources", b"[{}]", "[0].id: is required, the id of a node or template"),
    ],
)
async def test_what_is_wrong_changes_nothing(shim: Rig, path: str, body: bytes, told: str) -> None:
    assert await shim.message("POST", f"{GROUP}/a/{path}", content=body) == told
    assert await shim.body("GET", GROUP) == []


async def test_groups_that_people_have_made(shim: Rig) -> None:
    """Of two with one name the older counts, and both are deleted."""
    for name, created in (("new", "2026-03-01T00:00:00Z"), ("old", "2026-02-01T00:00:00Z")):
        spec = {"displayName": "team", "controllerPermissions": ["list_vms"], "resources": [TEMPLATE]}
        shim.api.put("permissiongroups", name, "", spec=spec, metadata={"creationTimestamp": created})
    groups = shim.services.stores.permission_groups
    await groups.wait_for(lambda store: len(store) == 2, 5)
    await shim.call("POST", f"{GROUP}/team/permissions", json=["start_vm"])
    assert await shim.body("GET", GROUP) == [{"name": "team", "permissions": ["start_vm"]}]
    kept = {
        name: obj["spec"]["controllerPermissions"] for (_, name), obj in shim.api.objects["permissiongroups"].items()
    }
    assert kept == {"new": ["list_vms"], "old": ["start_vm"]}
    await shim.body("DELETE", f"{GROUP}/team")
    assert not shim.api.objects["permissiongroups"]


async def test_what_another_replica_has_just_made_is_changed_and_deleted(shim: Rig) -> None:
    """The watch of this one has not delivered it yet."""
    for method, path, body in (("POST", "/resources", [TEMPLATE]), ("DELETE", "", None)):
        name = f"team {method}"
        spec = {"displayName": name, "controllerPermissions": ["list_vms"]}
        shim.api.put("permissiongroups", object_name(name), "", spec=spec)
        group = shim.services.stores.permission_groups.get(object_name(name))
        assert group is None
        await shim.call(method, f"{GROUP}/{name}{path}", json=body)
    (left,) = shim.api.objects["permissiongroups"].values()
    assert left["spec"]["controllerPermissions"] == ["list_vms"]
    assert [one["id"] for one in left["spec"]["resources"]] == ["c12c"]


async def test_without_authorization_there_is_no_such_endpoint() -> None:
    async with rig() as shim:
        answer = await shim.http.get(GROUP)
        assert answer.status_code == 404
        assert answer.json()["message"] == "no such endpoint: authorization is off (--enable-authorization)"
        assert PERMISSION_GROUPS.plural not in shim.api.objects
