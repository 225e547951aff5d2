"""Two teams on one cloud, two Macs, two templates: each sees and starts its own alone, by real processes."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from anka_crds.api.permissions import ControllerPermission, NodePermission, TemplatePermission
from anka_dev.cloud import LocalCloud
from support.api_keys import ROOT, SEAL_KEY, TOKEN, bearer, decrypt
from support.closed_stage import let_shim_know_who_asks
from support.cloud import FAST_MAC, TAG
from support.rsa_keys import PUBLIC
from support.shim_process import PATIENCE_SECONDS, ShimProcess, shim_process

pytestmark = [pytest.mark.e2e, pytest.mark.scenario]

QUOTA_SECONDS = 180
"""As long as tests/e2e/test_examples.py waits for the same."""

SLOTS = 4
FLAG = "--enable-resource-permissions"
VM, DISTRIBUTE = "/api/v1/vm", "/api/v1/registry/vm/distribute"


@dataclass
class Team:
    cloud: LocalCloud
    shim: ShimProcess
    name: str
    mac: str
    template: str
    headers: dict[str, str]

    def call(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        return self.shim.call(method, path, json=body, headers=self.headers)

    def get(self, path: str) -> Any:
        return self.shim.body("GET", path, headers=self.headers)

    def start(self, template: str = "", **more: Any) -> dict[str, Any]:
        return self.call("POST", VM, {"vmid": template or self.template, "group": self.name, **more})

    def until(self, true: Callable[[], bool]) -> None:
        self.shim.until_true(true)


def kubectl_status(cloud: LocalCloud, kind: str, name: str) -> dict[str, Any]:
    found = json.loads(cloud.kubectl.run("get", kind, name, "-nanka-ci", "-ojson"))
    status: dict[str, Any] = found.get("status", {})
    return status


def told(cloud: LocalCloud, id_: str) -> tuple[str, str]:
    """Reason and message of an instance's wait."""
    conditions = kubectl_status(cloud, "ankainstance", id_).get("conditions", [])
    scheduled = next((one for one in conditions if one["type"] == "Scheduled"), None)
    return ("", "") if scheduled is None else (scheduled["reason"], scheduled["message"])


@pytest.fixture(scope="module")
def teams(
    make_cloud: Callable[[], LocalCloud], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Team, Team]]:
    cloud, folder = make_cloud(), tmp_path_factory.mktemp("teams")
    assert cloud.registry is not None
    cloud.registry.add_template("web", [TAG], size=1_000_000)
    templates = cloud.registry.templates
    assert len(templates) == 2
    let_shim_know_who_asks(cloud)
    cloud.kubectl.run(
        "create", "clusterrolebinding", "anka-resource-permissions", "--clusterrole=anka-resource-permissions",
        "--serviceaccount=anka-system:anka-operator",
    )  # fmt: skip
    cloud.start_operator(FLAG, "--registry-seconds=1")
    for name in ("mac-ios", "mac-web"):
        cloud.add_mac(name, f"--max-vm-count={SLOTS}", **FAST_MAC)
    for name, content in (("root", TOKEN), ("seal", SEAL_KEY)):
        (folder / name).write_text(content)
    kubeconfig = cloud.cluster.kubeconfig_for("anka-shim", "anka-system", folder / "kubeconfig")
    flags = (
        f"--registry-url={cloud.registry.url}", "--enable-auth", f"--root-token-file={folder / 'root'}",
        "--enable-api-keys", f"--seal-key-file={folder / 'seal'}", "--enable-authorization", FLAG,
        "--enable-kubernetes-tokens",
    )  # fmt: skip
    with shim_process(kubeconfig, *flags) as shim:
        shim.wait_ready()
        cloud.wait_ready()
        yield (
            make_team(cloud, shim, "ios", "mac-ios", templates[0]),
            make_team(cloud, shim, "web", "mac-web", templates[1]),
        )


def make_team(cloud: LocalCloud, shim: ShimProcess, name: str, mac: str, template: str) -> Team:
    path = f"/admin/api/v1/permission/group/{name}"
    resources = [
        {"type": "node", "id": mac, "permissions": list(NodePermission)},
        {"type": "template", "id": template, "permissions": list(TemplatePermission)},
    ]
    shim.call("POST", f"{path}/permissions", json=list(ControllerPermission), headers=ROOT)
    shim.call("POST", f"{path}/resources", json=resources, headers=ROOT)
    key = {"id": f"ci-{name}", "ttl": 3600, "groups": [name], "publicKey": PUBLIC}
    shim.body("POST", "/api/v1/apikey", json=key, headers=ROOT)
    hand = httpx.post(f"{shim.url}/tap/v1/hand", json={"id": key["id"]}, timeout=PATIENCE_SECONDS)
    proof = {"id": key["id"], "secret": decrypt(hand.content)}
    shake = httpx.post(f"{shim.url}/tap/v1/shake", json=proof, timeout=PATIENCE_SECONDS)
    return Team(cloud, shim, name, mac, template, bearer(shake.json()["data"]))


def test_each_team_sees_and_starts_its_own_alone(teams: tuple[Team, Team]) -> None:
    started = {}
    for team in teams:
        (started[team.name],) = team.start()["body"]
    for team, other in (teams, teams[::-1]):
        id_ = started[team.name]
        team.until(lambda team=team, id_=id_: team.get(f"{VM}?id={id_}")["instance_state"] == "Started")  # type: ignore[misc]
        (row,) = team.get(VM)
        assert (row["instance_id"], row["vm"]["group"], row["vm"]["node_id"]) == (id_, team.name, team.mac)
        assert [one["node_id"] for one in team.get("/api/v1/node")] == [team.mac]
        assert [one["id"] for one in team.get("/api/v1/registry/vm")] == [team.template]
        foreign = {"status": "FAIL", "message": "Not found"}
        assert team.call("GET", f"{VM}?id={started[other.name]}") == foreign
        assert team.call("DELETE", VM, {"id": started[other.name]}) == foreign
        assert team.call("GET", f"/api/v1/node?id={other.mac}") == foreign
        assert team.call("GET", f"/api/v1/registry/vm?id={other.template}") == foreign
        assert team.start(other.template)["message"] == "VM not in the registry"
        assert team.start(node_id=other.mac)["message"] == f"node_id: no such node (given: '{other.mac}')"
    rows = teams[0].shim.body("GET", VM, headers=ROOT)
    assert {row["instance_id"] for row in rows} == set(started.values())


def test_group_missing_foreign_and_unknown(teams: tuple[Team, Team]) -> None:
    ios, _ = teams
    body = {"vmid": ios.template, "template_id": ios.template}
    for path in (VM, DISTRIBUTE):
        assert ios.call("POST", path, body) == {
            "status": "FAIL",
            "message": "group: is required while resource permissions are on",
        }
        for name in ("web", "none"):
            assert ios.call("POST", path, {**body, "group": name}) == {
                "status": "FAIL",
                "message": f"group: no such group, or not yours (given: '{name}')",
            }


def test_who_waits_is_told_that_nodes_are_closed_to_the_group(teams: tuple[Team, Team]) -> None:
    """The Mac of the team is full: the other one has room, and is not taken."""
    ios, web = teams
    waiting: list[str] = []
    for _ in range(SLOTS):
        waiting += ios.start()["body"]
    wanted = ("Unschedulable", "0/2 nodes fit: 1 closed to permission group ios, 1 full")
    ios.until(lambda: wanted in [told(ios.cloud, id_) for id_ in waiting])
    assert {row["vm"].get("node_id") for row in ios.get(VM)} <= {None, ios.mac}
    assert [row["vm"]["node_id"] for row in web.get(VM)] == [web.mac]
    for id_ in waiting:
        assert ios.call("DELETE", VM, {"id": id_})["status"] == "OK"


def test_a_distribution_has_the_macs_of_its_group(teams: tuple[Team, Team]) -> None:
    ios, web = teams
    (id_,) = [ios.call("POST", DISTRIBUTE, {"template_id": ios.template, "group": "ios"})["body"]["request_id"]]
    ios.until(lambda: ios.get(f"{DISTRIBUTE}?id={id_}")["distribute_status"][ios.mac]["status"])
    assert set(ios.get(f"{DISTRIBUTE}?id={id_}")["distribute_status"]) == {ios.mac}
    assert web.get(DISTRIBUTE) == []
    assert web.call("DELETE", DISTRIBUTE, {"id": id_}) == {"status": "FAIL", "message": "Not found"}


def test_kubectl_is_bound_by_the_group_that_it_names(teams: tuple[Team, Team]) -> None:
    ios, web = teams
    for name, group in (("theirs", "web"), ("nobodys", None), ("lost", "none")):
        spec = {"template": ios.template, "node": ios.mac, **({"permissionGroup": group} if group else {})}
        body = {
            "apiVersion": "anka.veertu.com/v1alpha1",
            "kind": "AnkaInstance",
            "metadata": {"name": name, "namespace": "anka-ci"},
            "spec": spec,
        }
        ios.cloud.kubectl.run("create", "--validate=strict", "-f-", stdin=json.dumps(body))
    closed = ("Unschedulable", f"Node {ios.mac} is closed to permission group web")
    ios.until(lambda: told(ios.cloud, "theirs") == closed)
    ios.until(lambda: told(ios.cloud, "lost") == ("PermissionGroupNotFound", "There is no PermissionGroup none"))
    ios.until(lambda: kubectl_status(ios.cloud, "ankainstance", "nobodys").get("phase") == "Started")
    # Once its group may start there, it runs; and whose it is decides who sees it.
    seen = [row["vm"]["instance_state"] for row in web.get(VM)]
    assert sorted(seen) == ["Scheduling", "Started"]
    assert len(web.shim.body("GET", VM, headers=ROOT)) > len(seen) + len(ios.get(VM))
    both = [{"type": "node", "id": mac, "permissions": ["list", "create_instance"]} for mac in (web.mac, ios.mac)]
    web.shim.call("POST", "/admin/api/v1/permission/group/web/resources", json=both, headers=ROOT)
    web.until(lambda: kubectl_status(web.cloud, "ankainstance", "theirs").get("phase") == "Started")


def test_an_identity_of_the_cluster_is_bound_by_rbac_alone(teams: tuple[Team, Team]) -> None:
    ios, _ = teams
    token = ios.cloud.kubectl.run("create", "token", "pipeline", "--namespace=anka-ci", "--audience=anka").strip()
    headers = {"Authorization": f"Bearer {token}"}
    ios.until(lambda: ios.shim.get(VM, headers=headers).status_code == 200)
    nodes = ios.shim.body("GET", "/api/v1/node", headers=headers)
    assert sorted(one["node_id"] for one in nodes) == ["mac-ios", "mac-web"]
    (id_,) = ios.shim.body("POST", VM, json={"vmid": ios.template}, headers=headers)
    assert ios.call("GET", f"{VM}?id={id_}")["message"] == "Not found"
    assert ios.shim.call("DELETE", VM, json={"id": id_}, headers=headers)["status"] == "OK"


def test_the_namespace_of_a_group_limits_it(teams: tuple[Team, Team]) -> None:
    ios, _ = teams
    kubectl = ios.cloud.kubectl

    def move(namespace: str) -> None:
        groups = json.loads(kubectl.run("get", "permissiongroups", "-ojson"))["items"]
        (name,) = [one["metadata"]["name"] for one in groups if one["spec"]["displayName"] == "ios"]
        kubectl.run("patch", "ankapg", name, "--type=merge", "-p", json.dumps({"spec": {"namespace": namespace}}))

    def fail(word: str) -> str:
        """What a start says once the shim has seen what was changed."""
        said: list[str] = []

        def has_word() -> bool:
            answer = ios.start(count=2)
            said.append(answer["message"])
            for id_ in answer.get("body") or ():
                ios.call("DELETE", VM, {"id": id_})
            return word in said[-1]

        ios.until(has_word)
        return said[-1]

    move("team-ios")
    missing = 'cannot start the VM: the API shim has no right to it: ankainstances.anka.veertu.com is forbidden: User "'
    assert fail("no right").startswith(missing)
    kubectl.run("create", "namespace", "team-ios")
    for command in (
        ("role", "anka-shim", "--verb=create", "--resource=ankainstances.anka.veertu.com"),
        ("rolebinding", "anka-shim", "--role=anka-shim", "--serviceaccount=anka-system:anka-shim"),
    ):
        kubectl.run("create", *command, "--namespace=team-ios")

    def is_counted() -> bool:
        """Kubernetes looks for new kinds every 30 s, and counts them for quotas that come after that."""
        kubectl.run("delete", "quota", "one", "--namespace=team-ios", "--ignore-not-found")
        hard = "--hard=count/ankainstances.anka.veertu.com=1"
        kubectl.run("create", "quota", "one", hard, "--namespace=team-ios")
        used = ("get", "quota", "one", "--namespace=team-ios", "--output=jsonpath={.status.used}")
        return any("ankainstances" in kubectl.run(*used) for _ in range(20))

    deadline = time.monotonic() + QUOTA_SECONDS
    while not is_counted():
        assert time.monotonic() < deadline
    # Of two, none is left.
    assert "exceeded quota: one" in fail("exceeded quota")
    ios.until(lambda: not json.loads(kubectl.run("get", "ankai", "-nteam-ios", "-ojson"))["items"])
    started: list[str] = []

    def starts() -> bool:
        started.extend(ios.start().get("body") or ())
        return bool(started)

    ios.until(starts)
    ios.until(lambda: ios.get(f"{VM}?id={started[0]}")["instance_state"] == "Started")
    (made,) = json.loads(kubectl.run("get", "ankai", "-nteam-ios", "-ojson"))["items"]
    assert made["metadata"]["uid"] == started[0]
    assert ios.call("DELETE", VM, {"id": started[0]})["status"] == "OK"
    ios.until(lambda: not json.loads(kubectl.run("get", "ankai", "-nteam-ios", "-ojson"))["items"])
