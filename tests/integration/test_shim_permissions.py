"""Permission groups at two shims, real processes with the chart's rights against a real kube-apiserver."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack

import httpx
import pytest

from anka_dev.repository import BASE
from localkube.controlplane import KubernetesCluster, apply
from localkube.free_ports import free_port
from support.api_keys import ROOT, SEAL_KEY, TOKEN, bearer, decrypt
from support.kinds import bind_shim
from support.rsa_keys import PUBLIC
from support.shim_pair import Pair, until_known
from support.shim_process import PATIENCE_SECONDS, ShimProcess, shim_process

pytestmark = pytest.mark.integration

GROUP = "/admin/v1/api/permission/group"
VMS = "/api/v1/vm"
ROLES = ("api-keys", "permission-groups")


@pytest.fixture(scope="module")
def shims(served_kinds: KubernetesCluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[ShimProcess]]:
    folder = tmp_path_factory.mktemp("shim-permissions")
    for name in ("namespaces", "rbac-shim", *(f"rbac-{role}" for role in ROLES)):
        apply(served_kinds, BASE / f"{name}.yaml")
    bind_shim(served_kinds, *ROLES)
    kubeconfig = served_kinds.kubeconfig_for("anka-shim", "anka-system", folder / "kubeconfig")
    for name, content in (("root", TOKEN), ("seal", SEAL_KEY), ("peer", "p" * 32)):
        (folder / name).write_text(content)
    ports = [free_port() for _ in range(2)]
    flags = (
        "--enable-auth", f"--root-token-file={folder / 'root'}", "--enable-api-keys", "--enable-authorization",
        f"--seal-key-file={folder / 'seal'}", f"--peer-key-file={folder / 'peer'}", "--peer-seconds=2",
        f"--peers={','.join(f'127.0.0.1:{port}' for port in ports)}",
    )  # fmt: skip
    with ExitStack() as stack:
        found = [stack.enter_context(shim_process(kubeconfig, *flags, port=port)) for port in ports]
        for shim in found:
            shim.wait_ready()
            until_known(shim, 1)
        yield found
    for kind in ("apikeys", "permissiongroups"):
        served_kinds.kubectl.run("delete", kind, "--all")


def login(shim: ShimProcess, id_: str, groups: list[str]) -> dict[str, str]:
    new = {"id": id_, "ttl": 600, "groups": groups, "publicKey": PUBLIC}
    assert shim.call("POST", "/api/v1/apikey", json=new, headers=ROOT) == {"status": "OK", "message": ""}
    hand = httpx.post(f"{shim.url}/tap/v1/hand", json={"id": id_}, timeout=PATIENCE_SECONDS)
    proof = {"id": id_, "secret": decrypt(hand.content)}
    shake = httpx.post(f"{shim.url}/tap/v1/shake", json=proof, timeout=PATIENCE_SECONDS)
    return bearer(shake.json()["data"])


def permit(shim: ShimProcess, group: str, *permissions: str) -> None:
    saved = {"status": "OK", "message": "Saved"}
    assert shim.call("POST", f"{GROUP}/{group}/permissions", json=list(permissions), headers=ROOT) == saved


def code(shim: ShimProcess, session: dict[str, str]) -> int:
    return shim.get(VMS, headers=session).status_code


def test_a_change_counts_at_every_replica_when_it_is_answered(shims: list[ShimProcess]) -> None:
    one, other = shims
    pair, reverse = Pair(one, other), Pair(other, one)
    session = login(one, "ci", ["iOS Team"])
    pair.shows(lambda: [code(shim, session) for shim in shims] == [403, 403])
    permit(one, "iOS%20Team", "list_vms")
    pair.shows(lambda: [code(shim, session) for shim in shims] == [200, 200])
    permit(other, "iOS%20Team", "start_vm")
    reverse.shows(lambda: [code(shim, session) for shim in shims] == [403, 403])
    assert one.body("GET", GROUP, headers=ROOT) == [{"name": "iOS Team", "permissions": ["start_vm"]}]
    resources = [{"id": "mac-1", "type": "node", "permissions": ["list"]}]
    assert other.call("POST", f"{GROUP}/iOS%20Team/resources", json=resources, headers=ROOT)["status"] == "OK"
    path, shown = f"{GROUP}/iOS%20Team/resources", [{**resources[0], "id_type": "id"}]
    reverse.shows(lambda: one.body("GET", path, headers=ROOT) == shown)
    permit(one, "iOS%20Team", "list_vms")
    other.body("DELETE", f"{GROUP}/iOS%20Team", headers=ROOT)
    reverse.shows(lambda: [code(shim, session) for shim in shims] == [403, 403])


def test_a_group_of_kubectl_counts_as_one_of_rest(shims: list[ShimProcess], served_kinds: KubernetesCluster) -> None:
    session = login(shims[0], "by hand", [])
    group = {
        "apiVersion": "anka.veertu.com/v1alpha1",
        "kind": "PermissionGroup",
        "metadata": {"name": "by-hand"},
        "spec": {"displayName": "by hand", "controllerPermissions": ["list_vms"]},
    }
    served_kinds.kubectl.run("apply", "-f-", stdin=json.dumps(group))
    for shim in shims:
        shim.until_true(lambda shim=shim: code(shim, session) == 200)  # type: ignore[misc]
    served_kinds.kubectl.run("delete", "ankapg", "by-hand")
    for shim in shims:
        shim.until_true(lambda shim=shim: code(shim, session) == 403)  # type: ignore[misc]
