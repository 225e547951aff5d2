"""Every route by every credential: nothing, wrong, a key without rights, a key with exactly the right, root."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anka_crds.api import PermissionGroup
from anka_crds.api.permissions import ControllerPermission
from anka_shim.access.group_rights import GroupRights
from anka_shim.failure import Failure
from anka_shim.http.authentication import Principal
from anka_shim.http.rights import RIGHTS, Right
from anka_shim.store.caches import Stores
from support.api_keys import ROOT, add_key, login, with_keys
from support.routes import fill
from support.shim_rig import Rig

GROUP = "/admin/v1/api/permission/group"
FORBIDDEN = {"status": "FAIL", "message": "Not authorized to perform this request"}
WRONG = {"Authorization": "Basic " + base64.b64encode(b"root:not the token").decode()}
OPEN = {Right.NONE, Right.PEER}
NEEDED = sorted({right for right in RIGHTS.values() if right not in {*OPEN, Right.LOGIN}})


@pytest.fixture
async def shim(tmp_path: Path) -> AsyncIterator[Rig]:
    async with with_keys(tmp_path, enable_authorization=True, access_log="none") as found:
        yield found


async def permit(shim: Rig, *rights: str, group: str = "g") -> None:
    answer = await shim.call("POST", f"{GROUP}/{group}/permissions", json=list(rights), headers=ROOT)
    assert answer == {"status": "OK", "message": "Saved"}


async def code(shim: Rig, route: str, headers: dict[str, str] | None) -> int:
    method, path = route.split(" ")
    return (await shim.http.request(method, fill(path, "nothing"), headers=headers)).status_code


async def test_every_route_by_every_credential(shim: Rig) -> None:
    await add_key(shim, "nobody", groups=[])
    nobody = await login(shim.http, "nobody")
    holders = {}
    for right in NEEDED:
        await permit(shim, right, group=f"only {right}")
        await add_key(shim, right, groups=[f"only {right}"])
        holders[right] = await login(shim.http, right)
    for route, right in RIGHTS.items():
        holder = holders.get(right, nobody)
        found = [await code(shim, route, headers) for headers in (None, WRONG, nobody, holder, ROOT)]
        if right in OPEN:
            assert len(set(found)) == 1, f"{route}: {found}"
            continue
        refused = [one if one in (401, 403) else 200 for one in found]
        assert refused == [401, 401, 200 if right is Right.LOGIN else 403, 200, 200], f"{route}: {found}"
        if right in holders:
            others = [one for one in holders if one is not right]
            assert {await code(shim, route, holders[one]) for one in others[:: len(others) // 3]} == {403}, route


async def test_a_change_counts_at_the_next_request(shim: Rig) -> None:
    await add_key(shim, "ci", groups=["g"])
    session = await login(shim.http, "ci")

    async def asks() -> int:
        return await code(shim, "GET /api/v1/vm", session)

    answer = await shim.http.get("/api/v1/vm", headers=session)
    assert (answer.status_code, answer.json()) == (403, FORBIDDEN)
    await permit(shim, "list_vms", "start_vm")
    assert await asks() == 200
    await permit(shim, "start_vm")
    assert await asks() == 403
    await permit(shim, "list_vms")
    assert await asks() == 200
    await shim.body("PUT", "/api/v1/apikey", json={"id": "ci", "groups": ["h"]}, headers=ROOT)
    assert await asks() == 403
    await permit(shim, "list_vms", group="h")
    assert await asks() == 200
    await shim.body("DELETE", f"{GROUP}/h", headers=ROOT)
    assert await asks() == 403


async def test_a_group_that_is_called_as_the_key_is_its_own(shim: Rig) -> None:
    await add_key(shim, "ci", groups=[])
    session = await login(shim.http, "ci")
    await permit(shim, "list_vms", group="ci")
    assert await code(shim, "GET /api/v1/vm", session) == 200
    await permit(shim, "list_vms", group="CI")
    await permit(shim, group="ci")
    assert await code(shim, "GET /api/v1/vm", session) == 403, "names have capitals"


async def test_a_key_that_may_manage_groups_manages_them(shim: Rig) -> None:
    await add_key(shim, "admin", groups=["admins"])
    await permit(shim, "update_permission_groups", "view_prmission_groups", group="admins")
    admin = await login(shim.http, "admin")
    for prefix in ("/admin/api/v1", "/admin/v1/api"):
        path = f"{prefix}/permission/group"
        await shim.call("POST", f"{path}/team/permissions", json=["list_vms"], headers=admin)
        names = [group["name"] for group in await shim.body("GET", path, headers=admin)]
        assert names == ["admins", "team"]
        assert (await shim.http.delete(f"{path}/team", headers=admin)).status_code == 403


class Ready:
    """Watches that have read everything."""

    def missing_caches(self) -> str | None:
        return None


class Starting:
    def missing_caches(self) -> str | None:
        return "not read from the Kubernetes API yet: permissiongroups"


def filled(groups: Sequence[tuple[str, Sequence[str]]]) -> Stores:
    """The first object of a name is the oldest."""
    stores = Stores(with_permission_groups=True)
    for number, (name, permissions) in enumerate(groups):
        created = f"2026-01-01T00:{number:02}:00Z"
        metadata = {"name": f"x{number}", "uid": str(number), "creationTimestamp": created, "resourceVersion": "1"}
        spec = {"displayName": name, "controllerPermissions": permissions}
        stores.permission_groups.apply_written(PermissionGroup.model_validate({"metadata": metadata, "spec": spec}))
    return stores


NAMES = st.sampled_from(["a", "b", "c", "me"])
IDS = st.sampled_from(list(ControllerPermission)[:4])


@given(
    st.lists(st.tuples(NAMES, st.lists(IDS, unique=True)), max_size=8),
    st.frozensets(NAMES),
    st.sampled_from([Right.LIST_VMS, Right.START_VM, Right.UPDATE_VM, Right.DELETE_API_KEY]),
)
def test_the_union_of_the_groups_counts(
    groups: list[tuple[str, list[str]]], mine: frozenset[str], right: Right
) -> None:
    first: dict[str, Any] = {}
    for name, permissions in groups:
        first.setdefault(name, permissions)
    # "me" is the name of who asks, and may be the name of a group: it counts only where it is among theirs.
    wanted = any(right.value in permissions for name, permissions in first.items() if name in mine)
    rights = GroupRights(filled(groups), Ready())  # type: ignore[arg-type]
    assert rights.allows(Principal("me", mine), right) is wanted


def test_nobody_is_refused_while_the_groups_are_read() -> None:
    with pytest.raises(Failure, match="starting up, try again in a moment") as failed:
        GroupRights(filled([]), Starting()).allows(Principal("me"), Right.LIST_VMS)  # type: ignore[arg-type]
    assert failed.value.code == 200


def test_what_a_group_can_permit_is_what_routes_need() -> None:
    """Both ways: no right that nobody can be given, and of the old controller's ids only these open nothing here."""
    assert set(NEEDED) <= set(ControllerPermission)
    opens_nothing = set(ControllerPermission) - {str(right) for right in RIGHTS.values()}
    assert opens_nothing == {"get_config", "change_config", "get_registry_files"}
