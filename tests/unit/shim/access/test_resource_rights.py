"""Two teams at one shim: each sees and uses its own nodes, templates and instances, and nothing tells it of others."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from anka_crds.api import PermissionGroup
from anka_crds.api.permissions import ControllerPermission
from anka_shim.access.kubernetes.principal import KubernetesPrincipal
from anka_shim.access.resource_rights import ResourceRights
from anka_shim.failure import Failure
from anka_shim.http.authentication import ANONYMOUS, LoginMethod, Principal, sent_by
from anka_shim.store.caches import Stores
from support.api_keys import ROOT, add_key, login, with_keys
from support.objects import node, permission_group
from support.rest_images import put_instance
from support.shim_rig import TEMPLATE, Rig

OTHER = "9b135004-0c89-43bb-b892-74796b8d266c"
ALL_OF_NODE = ["list", "change_config", "remove", "force_upgrade", "create_instance", "distribute", "delete_template"]
ALL_OF_TEMPLATE = ["list", "get_config", "pull", "push_tag", "save_image", "delete_revert", "set_arch"]
FORBIDDEN = "Not authorized to perform this request"
VM = "/api/v1/vm"


class Team:
    """One API key with all rights, in one group with one node and one template."""

    def __init__(self, shim: Rig, name: str, headers: dict[str, str]) -> None:
        self.shim = shim
        self.name = name
        self.headers = headers

    async def call(self, method: str, path: str, *, key: str = "", **options: Any) -> tuple[int, Any]:
        """The HTTP status, and the body of a success or the message of a failure."""
        headers = {**self.headers, **({"Idempotency-Key": key} if key else {})}
        answer = await self.shim.http.request(method, path, headers=headers, **options)
        found = answer.json()
        return answer.status_code, found.get("body") if found["status"] == "OK" else found["message"]

    async def get(self, path: str) -> Any:
        status, found = await self.call("GET", path)
        assert status == 200, found
        return found

    async def start(self, vmid: str = TEMPLATE, **parameters: Any) -> Any:
        return await self.call("POST", VM, json={"vmid": vmid, "group": self.name, **parameters})


async def grant(shim: Rig, group: str, *resources: tuple[str, str, list[str]]) -> None:
    body = [{"type": type_, "id": id_, "permissions": permissions} for type_, id_, permissions in resources]
    path = f"/admin/v1/api/permission/group/{group}"
    await shim.call("POST", f"{path}/resources", json=body, headers=ROOT)


async def join(shim: Rig, name: str) -> Team:
    path = f"/admin/v1/api/permission/group/{name}/permissions"
    await shim.call("POST", path, json=list(ControllerPermission), headers=ROOT)
    await add_key(shim, f"key of {name}", groups=[name])
    return Team(shim, name, await login(shim.http, f"key of {name}"))


@pytest.fixture
async def shim(tmp_path: Path) -> AsyncIterator[Rig]:
    async with open_shim(tmp_path) as found:
        yield found


@asynccontextmanager
async def open_shim(folder: Path, **settings: Any) -> AsyncIterator[Rig]:
    chosen = {"enable_authorization": True, "enable_resource_permissions": True, "access_log": "none", **settings}
    async with with_keys(folder, **chosen) as found:
        seen = found.services.stores
        versions = [{"number": 0, "tag": "v1"}]
        found.api.put("ankatemplates", OTHER, "", spec={}, status={"name": "web", "versions": versions})
        named = {"groups": ["ios"], "displayName": "Mac 1"}
        found.api.put("ankanodes", "mac-1", "", spec=named, status={"state": "Active"})
        found.api.put("ankanodes", "mac-2", "", spec={"groups": ["web"]}, status={"state": "Active"})
        found.api.put("nodegroups", "web", "", spec={"displayName": "web builds"})
        await seen.templates.wait_for(lambda store: store.get(OTHER), 60)
        await seen.nodes.wait_for(lambda store: store.get("mac-2"), 60)
        await seen.groups.wait_for(lambda store: store.get("web"), 60)
        yield found


@pytest.fixture
async def ios(shim: Rig) -> Team:
    await grant(shim, "ios", ("node", "mac-1", ALL_OF_NODE), ("template", TEMPLATE, ALL_OF_TEMPLATE))
    return await join(shim, "ios")


@pytest.fixture
async def web(shim: Rig) -> Team:
    await grant(shim, "web", ("node", "mac-2", ALL_OF_NODE), ("template", OTHER, ALL_OF_TEMPLATE))
    return await join(shim, "web")


async def test_each_team_sees_and_starts_its_own_alone(shim: Rig, ios: Team, web: Team) -> None:
    _, (mine,) = await ios.start()
    _, (theirs,) = await web.start(OTHER)
    for team, instance, node_, template in ((ios, mine, "mac-1", TEMPLATE), (web, theirs, "mac-2", OTHER)):
        vms = await team.get(VM)
        assert [one["instance_id"] for one in vms] == [instance]
        assert vms[0]["vm"]["group"] == team.name
        assert [one["node_id"] for one in await team.get("/api/v1/node")] == [node_]
        assert [one["id"] for one in await team.get("/api/v1/registry/vm")] == [template]
    everything = await shim.body("GET", VM, headers=ROOT)
    assert {one["instance_id"] for one in everything} == {mine, theirs}
    assert [one["name"] for one in await web.get("/api/v1/group")] == ["web builds"]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/api/v1/vm?id={vm}", None),
        ("PUT", "/api/v1/vm", {"id": "{vm}", "name": "x"}),
        ("DELETE", "/api/v1/vm", {"id": "{vm}"}),
        ("POST", "/api/v1/rpc/vm/restart", {"id": "{vm}"}),
        ("POST", "/api/v1/image", {"id": "{vm}", "tag": "t", "target_vm_id": OTHER}),
        ("GET", "/api/v1/image?id={save}", None),
        ("GET", "/api/v1/node?id={node}", None),
        ("GET", "/portal/v1/object?kind=instances&id={vm}", None),
        ("GET", "/portal/v1/object?kind=nodes&id={node}", None),
        ("GET", "/portal/v1/timeline?id={vm}", None),
        ("GET", "/portal/v1/explain?id={vm}", None),
        ("GET", "/portal/v1/nodes/history?id={node}", None),
        ("GET", "/api/v1/node?id={node_name}", None),
        ("POST", "/api/v1/node/config", {"node_id": "{node}", "max_vm_count": 1}),
        ("DELETE", "/api/v1/node", {"node_id": "{node}"}),
        ("PUT", "/api/v1/node/update", {"node_ids": ["{node}"]}),
        ("POST", "/api/v1/node/group", {"group_ids": ["web"], "node_ids": ["{node}"]}),
        ("GET", "/api/v1/registry/vm?id={template}", None),
        ("DELETE", "/api/v1/registry/vm", {"id": "{template}"}),
        ("DELETE", "/api/v1/registry/revert", {"id": "{template}"}),
        ("DELETE", "/api/v1/registry/vm/remove", {"id": "{template}"}),
        ("GET", "/api/v1/registry/vm/distribute?id={distribution}", None),
        ("DELETE", "/api/v1/registry/vm/distribute", {"id": "{distribution}"}),
        ("POST", "/api/v1/vm", {"vmid": "{template}", "group": "web"}),
        ("POST", "/api/v1/vm", {"vmid": "{template_name}", "group": "web"}),
        ("POST", "/api/v1/vm", {"vmid": OTHER, "node_id": "{node}", "group": "web"}),
        ("POST", "/api/v1/registry/vm/distribute", {"template_id": "{template}", "group": "web"}),
        ("POST", "/api/v1/registry/vm/distribute", {"template_id": OTHER, "node_ids": ["{node}"], "group": "web"}),
    ],
)
async def test_what_is_not_theirs_looks_as_if_it_were_not_there(
    shim: Rig, ios: Team, web: Team, method: str, path: str, body: Any
) -> None:
    """To the byte, but for the id that the request has."""
    _, (instance,) = await ios.start()
    await put_instance(shim, instance, "Started")
    status, saved = await ios.call("POST", "/api/v1/image", json={"id": instance, "tag": "t", "target_vm_id": TEMPLATE})
    assert status == 200, saved
    status, pulled = await ios.call(
        "POST", "/api/v1/registry/vm/distribute", json={"template_id": TEMPLATE, "group": "ios"}
    )
    assert status == 200, pulled
    theirs = {
        "vm": instance, "save": saved["request_id"], "distribution": pulled["request_id"], "node": "mac-1",
        "node_name": "Mac 1", "template": TEMPLATE, "template_name": "macos",
    }  # fmt: skip
    unknown = "0e11b3a9-6f2a-4c3e-9d8b-4a3e1c5f7a21"
    writes = count_writes(shim)
    answers = []
    for ids in (theirs, dict.fromkeys(theirs, unknown)):
        wanted = None if body is None else _fill(body, ids)
        answer = await shim.http.request(method, path.format(**ids), json=wanted, headers=web.headers)
        text = answer.text
        for id_ in ids.values():
            text = text.replace(id_, "ID")
        answers.append((answer.status_code, text))
    assert answers[0] == answers[1]
    assert answers[0][0] == 200
    assert '"status":"FAIL"' in answers[0][1]
    assert count_writes(shim) == writes


def count_writes(shim: Rig) -> int:
    return len([seen for seen in shim.api.seen if seen.verb in ("create", "patch", "update", "delete")])


def _fill(body: Any, ids: dict[str, str]) -> Any:
    if isinstance(body, dict):
        return {key: _fill(value, ids) for key, value in body.items()}
    if isinstance(body, list):
        return [_fill(value, ids) for value in body]
    return body.format(**ids) if isinstance(body, str) else body


async def test_what_is_seen_and_not_permitted_is_forbidden(shim: Rig, ios: Team) -> None:
    await grant(shim, "ios", ("node", "mac-1", ["list"]), ("template", TEMPLATE, ["list"]))
    refused: list[tuple[str, str, dict[str, Any]]] = [
        ("POST", VM, {"vmid": TEMPLATE, "group": "ios"}),
        ("POST", "/api/v1/registry/vm/distribute", {"template_id": TEMPLATE, "group": "ios"}),
        ("POST", "/api/v1/node/config", {"node_id": "mac-1", "max_vm_count": 1}),
        ("PUT", "/api/v1/node/update", {"node_ids": ["mac-1"]}),
        ("PUT", "/api/v1/node/update", {}),
        ("DELETE", "/api/v1/node", {"node_id": "mac-1"}),
        ("POST", "/api/v1/node/group", {"group_ids": ["ios"], "node_ids": ["mac-1"]}),
        ("DELETE", "/api/v1/node/group", {"group_ids": ["ios"], "node_ids": ["mac-1"]}),
        ("DELETE", "/api/v1/group?id=ios", {}),
        ("DELETE", "/api/v1/registry/vm", {"id": TEMPLATE}),
        ("DELETE", "/api/v1/registry/revert", {"id": TEMPLATE}),
    ]
    for method, path, body in refused:
        assert await ios.call(method, path, json=body) == (403, FORBIDDEN), (method, path, body)


@pytest.mark.parametrize(
    ("resources", "parameters", "code"),
    [
        ([("template", TEMPLATE, ["list", "pull"])], {}, 200),
        ([("template", TEMPLATE, ["list"])], {}, 403),
        ([("template", TEMPLATE, ["list", "pull"]), ("node", "mac-1", ["list"])], {}, 403),
        ([("template", TEMPLATE, ["list", "pull"]), ("node", "mac-1", ["create_instance"])], {}, 200),
        (
            [("template", TEMPLATE, ["list", "pull"]), ("node", "mac-1", ["create_instance"]),
             ("node", "mac-2", ["list"])],
            {"node_id": "mac-2"},
            403,
        ),
    ],
)  # fmt: skip
async def test_what_a_start_needs(shim: Rig, ios: Team, resources: Any, parameters: dict[str, Any], code: int) -> None:
    await grant(shim, "ios", *resources)
    status, found = await ios.start(**parameters)
    assert status == code, found


@pytest.mark.parametrize("path", [VM, "/api/v1/registry/vm/distribute"])
async def test_group_is_required_and_must_be_ones_own(shim: Rig, ios: Team, web: Team, path: str) -> None:
    body = {"vmid": TEMPLATE, "template_id": TEMPLATE}

    async def say(**more: Any) -> Any:
        return await ios.call("POST", path, json={**body, **more})

    assert await say() == (200, "group: is required while resource permissions are on")
    assert await say(group="") == (200, "group: is required while resource permissions are on")
    for name in ("web", "none"):
        assert await say(group=name) == (200, f"group: no such group, or not yours (given: '{name}')")
    node_group = "group_id: node groups are disabled while resource permissions are on: give group"
    assert await say(group="ios", group_id="ios") == (200, node_group)
    assert (await say(group="ios", group_id=""))[0] == 200
    answer = await shim.call("POST", path, json=body, headers=ROOT)
    assert answer["message"] == "group: is required while resource permissions are on"
    answer = await shim.call("POST", path, json={**body, "group": "none"}, headers=ROOT)
    assert answer["message"] == "group: no such group, or not yours (given: 'none')"
    assert (await shim.call("POST", path, json={**body, "group": "web"}, headers=ROOT))["status"] == "OK"


async def test_a_save_needs_its_target(shim: Rig, ios: Team) -> None:
    _, (instance,) = await ios.start()
    await put_instance(shim, instance, "Started")
    save = {"id": instance, "tag": "t", "target_vm_id": TEMPLATE}

    async def ask(permissions: list[str], **more: Any) -> int:
        await grant(shim, "ios", ("template", TEMPLATE, permissions))
        return (await ios.call("POST", "/api/v1/image", json={**save, **more}))[0]

    assert await ask(["list", "pull", "push_tag"]) == 403
    assert await ask(["list", "save_image"], revert_before_push=True) == 403
    assert await ask(["list", "save_image", "delete_revert"], revert_before_push=True) == 200
    (shown,) = await ios.get("/api/v1/image")
    assert shown["request"]["InstanceID"] == instance
    # The request is theirs, also once its instance is gone.
    shim.api.remove("ankainstances", instance, "anka-ci")
    await shim.services.stores.instances.wait_for(lambda store: store.get(instance, "anka-ci") is None, 60)
    assert [one["id"] for one in await ios.get("/api/v1/image")] == [shown["id"]]


async def test_an_instance_that_ends_is_shown_to_its_own_team(shim: Rig, ios: Team, web: Team) -> None:
    _, (instance,) = await ios.start()
    assert [one["instance_id"] for one in await ios.get(VM)] == [instance]
    assert (await ios.call("DELETE", VM, json={"id": instance}))[0] == 200
    shim.api.remove("ankainstances", instance, "anka-ci")
    await shim.services.stores.instances.wait_for(lambda store: store.get(instance, "anka-ci") is None, 60)
    (gone,) = await ios.get(VM)
    assert gone["vm"]["instance_state"] == "Terminated"
    assert await web.get(VM) == []
    assert await web.call("DELETE", VM, json={"id": instance}) == (200, "Not found")
    shim.clock.advance(61)
    assert await ios.get(VM) == []


async def test_a_change_of_resources_counts_at_the_next_request(shim: Rig, ios: Team) -> None:
    assert [one["node_id"] for one in await ios.get("/api/v1/node")] == ["mac-1"]
    await grant(shim, "ios", ("node", "mac-2", ["list"]))
    assert [one["node_id"] for one in await ios.get("/api/v1/node")] == ["mac-2"]
    await grant(shim, "ios", ("template", OTHER, ["list"]))
    assert [one["id"] for one in await ios.get("/api/v1/registry/vm")] == [OTHER]
    await shim.body("DELETE", "/admin/v1/api/permission/group/ios", headers=ROOT)
    assert (await ios.call("GET", "/api/v1/node"))[0] == 403


async def test_a_key_that_is_called_anonymous_is_somebody(shim: Rig) -> None:
    """Nobody becomes who needs no login by a name."""
    path = "/admin/v1/api/permission/group/anonymous/permissions"
    await shim.call("POST", path, json=["list_nodes", "list_vms"], headers=ROOT)
    await add_key(shim, "anonymous", groups=[])
    headers = await login(shim.http, "anonymous")
    assert await shim.body("GET", "/api/v1/node", headers=headers) == []


async def test_off_means_everybody_has_all(tmp_path: Path) -> None:
    async with open_shim(tmp_path, enable_resource_permissions=False) as shim:
        team = await join(shim, "ios")
        assert len(await team.get("/api/v1/node")) == 2
        assert (await team.call("POST", VM, json={"vmid": OTHER}))[0] == 200
        assert len(await team.get(VM)) == 1


async def test_an_explanation_names_their_own_nodes_alone(shim: Rig, ios: Team) -> None:
    asked = f"/portal/v1/explain?vmid={TEMPLATE}"
    found = await ios.get(f"{asked}&group=ios")
    assert ([one["node"] for one in found["nodes"]], found["hidden"]) == (["mac-1"], 1)
    assert found["answer"]["node"] == "mac-1"
    assert await ios.call("GET", asked) == (200, "group: is required while resource permissions are on")
    assert (await ios.call("GET", f"/portal/v1/explain?vmid={OTHER}&group=ios"))[1] == "VM not in the registry"
    everything = await shim.body("GET", f"{asked}&group=ios", headers=ROOT)
    assert [(one["node"], one["fits"]) for one in everything["nodes"]] == [("mac-1", True), ("mac-2", False)]
    assert everything["nodes"][1]["why"] == "is closed to permission group ios"


async def test_a_node_s_history_has_their_own_instances_alone(shim: Rig, ios: Team, web: Team) -> None:
    await grant(shim, "web", ("node", "mac-1", ALL_OF_NODE), ("template", OTHER, ALL_OF_TEMPLATE))
    bound = {"phase": "Error", "nodeName": "mac-1", "scheduledAt": "2026-01-01T10:00:00Z", "message": "secret"}
    bound["finishedAt"] = "2026-01-01T10:00:00Z"
    for name in ("ios", "web"):
        spec = {"template": TEMPLATE, "permissionGroup": name}
        shim.api.put("ankainstances", f"of-{name}", "anka-ci", spec=spec, status=bound)
    stores = shim.services.stores
    await stores.instances.wait_for(lambda store: len(store) == 2, 60)
    for team in (ios, web):
        (past,) = (await team.get("/portal/v1/nodes/history?id=mac-1"))["instances"]
        assert past["name"] == f"of-{team.name}"
    failures = shim.services.history.node_failures("mac-1")
    assert failures is not None
    assert (failures["count"], set(failures["last"])) == (2, {"at", "reason"})


async def test_a_group_with_a_namespace_has_its_instances_there(shim: Rig, ios: Team, web: Team) -> None:
    (group,) = [one for one in shim.services.stores.permission_groups if one.spec.display_name == "ios"]
    known = shim.api.objects["permissiongroups"]["", group.metadata.name]
    shim.api.put("permissiongroups", group.metadata.name, "", spec={**known["spec"], "namespace": "team-ios"})
    await shim.services.stores.permission_groups.wait_for(
        lambda store: (one := store.get(group.metadata.name)) is not None and one.spec.namespace, 60
    )
    _, ids = await ios.start(count=2, startup_script="ZWNobyBo" * 2000)
    made = {obj["metadata"]["uid"]: obj for obj in shim.api.objects["ankainstances"].values()}
    assert set(ids) == made.keys()
    assert {obj["metadata"]["namespace"] for obj in made.values()} == {"team-ios"}
    assert {space for space, _ in shim.api.objects["secrets"]} == {"team-ios"}
    assert {one["instance_id"] for one in await ios.get(VM)} == set(ids)
    assert (await ios.call("PUT", VM, json={"id": ids[0], "name": "x"}))[0] == 200
    assert (await ios.get(f"{VM}?id={ids[0]}"))["name"] == "x"
    for id_ in ids:
        assert await web.call("DELETE", VM, json={"id": id_}) == (200, "Not found")
        assert (await ios.call("DELETE", VM, json={"id": id_}))[0] == 200
    # The same key is the same request, and gives the same ids.
    again = [await ios.call("POST", VM, json={"vmid": TEMPLATE, "group": "ios"}, key="once") for _ in range(2)]
    assert again[0] == again[1]
    assert again[0][0] == 200


# --- without HTTP ---


@pytest.fixture
def stores() -> Stores:
    made = Stores(with_permission_groups=True)
    for one in (node("mac-1"), node("mac-2")):
        made.nodes.observe(one)
    group: PermissionGroup = permission_group("ios", nodes={"mac-1": ["list", "create_instance"]})
    made.permission_groups.observe(group)
    return made


@pytest.fixture
def rights(stores: Stores) -> ResourceRights:
    return ResourceRights(stores, is_on=True)


MEMBER = Principal("jenkins", frozenset({"ios"}))
FREE = (ANONYMOUS, Principal("root", is_root=True), KubernetesPrincipal("system:serviceaccount:ci:runner"))


def test_who_is_bound_by_groups(rights: ResourceRights) -> None:
    for sender in FREE:
        with sent_by(sender):
            assert len(list(rights.nodes())) == 2, sender
            assert rights.owns(None)
            rights.require_template("any")
    with sent_by(MEMBER):
        assert [one.metadata.name for one in rights.nodes()] == ["mac-1"]
        assert (rights.owns("ios"), rights.owns("jenkins"), rights.owns("web"), rights.owns(None)) == (
            True, False, False, False,
        )  # fmt: skip


def test_a_name_is_no_group_however_somebody_logged_in(rights: ResourceRights) -> None:
    """Certificates and providers choose the names of their users. An API key has its id among its groups."""
    for method in LoginMethod:
        with sent_by(Principal("ios", method=method)):
            assert not rights.owns("ios"), method
            assert list(rights.nodes()) == [], method


def test_an_identity_of_the_cluster_may_name_a_group_and_need_not(rights: ResourceRights) -> None:
    with sent_by(FREE[2]):
        assert rights.require_owner(None, None) is None
        assert rights.require_owner("ios", None) is not None
        with pytest.raises(Failure, match="no such group, or not yours"):
            rights.require_owner("none", None)
        with pytest.raises(Failure, match="node groups are disabled"):
            rights.require_owner(None, "ios")


def test_another_generation_for_each_change(rights: ResourceRights, stores: Stores) -> None:
    before = rights.generation
    stores.permission_groups.observe(permission_group("web"))
    assert rights.generation > before
