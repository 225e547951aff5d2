"""Tokens of a real cluster at a shim that has the chart's rights."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from anka_dev.repository import BASE
from localkube.controlplane import KubernetesCluster, apply
from support.shim_process import ShimProcess, shim_process

pytestmark = pytest.mark.integration

ROOT = "the root token of the tests"
VMS = "/api/v1/vm"
PIPELINE = """
apiVersion: v1
kind: ServiceAccount
metadata: {name: builder, namespace: kinds}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: node-mac-1, namespace: anka-nodes}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: anka-pipeline}
rules:
  - {apiGroups: [anka.veertu.com], resources: [ankainstances], verbs: [list, create, patch, delete]}
"""


def binding(name: str, role: str, *accounts: tuple[str, str]) -> str:
    return json.dumps(
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": name},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
            "subjects": [{"kind": "ServiceAccount", "namespace": space, "name": one} for space, one in accounts],
        }
    )


@pytest.fixture(scope="module")
def shim(served_kinds: KubernetesCluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ShimProcess]:
    folder = tmp_path_factory.mktemp("shim-tokens")
    for name in ("namespaces.yaml", "rbac-shim.yaml", "rbac-reviews.yaml"):
        apply(served_kinds, BASE / name)
    manifests = (
        PIPELINE,
        binding("anka-shim-reviews", "anka-reviews", ("anka-system", "anka-shim")),
        binding("anka-pipeline", "anka-pipeline", ("kinds", "builder"), ("anka-nodes", "node-mac-1")),
    )
    served_kinds.kubectl.run("apply", "-f-", stdin="\n---\n".join(manifests))
    kubeconfig = served_kinds.kubeconfig_for("anka-shim", "anka-system", folder / "kubeconfig")
    (folder / "root").write_text(ROOT)
    flags = "--enable-auth", f"--root-token-file={folder / 'root'}", "--enable-kubernetes-tokens"
    with shim_process(kubeconfig, *flags) as started:
        started.wait_ready()
        # A role is in force some milliseconds after it was bound, and each answer is kept for ten seconds.
        builder = bearer(token(served_kinds, "builder", "kinds", "--audience=anka"))
        started.until_true(lambda: code(started, "/api/v1/status", builder) == 200)
        yield started


def token(cluster: KubernetesCluster, account: str, namespace: str = "kinds", *flags: str) -> str:
    return cluster.kubectl.run("create", "token", account, f"--namespace={namespace}", *flags).strip()


def bearer(text: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {text}"}


def code(shim: ShimProcess, path: str, headers: dict[str, str]) -> int:
    return shim.get(path, headers=headers).status_code


def test_a_pipeline_does_what_its_role_gives(shim: ShimProcess, served_kinds: KubernetesCluster) -> None:
    builder = bearer(token(served_kinds, "builder", "kinds", "--audience=anka"))
    shim.until_true(lambda: code(shim, VMS, builder) == 200)
    assert isinstance(shim.body("GET", VMS, headers=builder), list)
    unknown = shim.call("POST", VMS, json={"vmid": "00000000-0000-0000-0000-000000000000"}, headers=builder)
    assert unknown == {"status": "FAIL", "message": "VM not in the registry"}
    assert code(shim, "/api/v1/node", builder) == 403
    assert code(shim, "/api/v1/status", builder) == 200


def test_the_same_as_a_password(shim: ShimProcess, served_kinds: KubernetesCluster) -> None:
    text = token(served_kinds, "builder", "kinds", "--audience=anka")
    packed = base64.b64encode(f"token:{text}".encode()).decode()
    assert code(shim, "/api/v1/status", {"Authorization": f"Basic {packed}"}) == 200


def test_a_token_for_the_api_is_refused(shim: ShimProcess, served_kinds: KubernetesCluster) -> None:
    assert code(shim, "/api/v1/status", bearer(token(served_kinds, "builder"))) == 401


def test_a_mac_has_no_right(shim: ShimProcess, served_kinds: KubernetesCluster) -> None:
    """Though the same role is bound to it."""
    mac = bearer(token(served_kinds, "node-mac-1", "anka-nodes", "--audience=anka"))
    assert code(shim, "/api/v1/status", mac) == 200
    assert code(shim, VMS, mac) == 403


def test_a_deleted_account_soon_logs_nobody_in(shim: ShimProcess, served_kinds: KubernetesCluster) -> None:
    served_kinds.kubectl.run("create", "serviceaccount", "leaver", "--namespace=kinds")
    leaver = bearer(token(served_kinds, "leaver", "kinds", "--audience=anka"))
    served_kinds.kubectl.run("delete", "serviceaccount", "leaver", "--namespace=kinds")
    shim.until_true(lambda: code(shim, "/api/v1/status", leaver) == 401)


def test_without_the_role_a_good_token_is_not_called_wrong(
    shim: ShimProcess, served_kinds: KubernetesCluster, tmp_path: Path
) -> None:
    account = json.dumps(
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "other-shim", "namespace": "anka-system"}}
    )
    served_kinds.kubectl.run("apply", "-f-", stdin=account)
    served_kinds.kubectl.run("apply", "-f-", stdin=binding("other-shim", "anka-shim", ("anka-system", "other-shim")))
    kubeconfig = served_kinds.kubeconfig_for("other-shim", "anka-system", tmp_path / "kubeconfig")
    (tmp_path / "root").write_text(ROOT)
    flags = "--enable-auth", f"--root-token-file={tmp_path / 'root'}", "--enable-kubernetes-tokens"
    with shim_process(kubeconfig, *flags) as lacking:
        lacking.wait_ready()
        builder = bearer(token(served_kinds, "builder", "kinds", "--audience=anka"))
        assert code(lacking, "/api/v1/status", builder) == 503
        lacking.until_true(lambda: any("tokenreviews" in record["message"] for record in lacking.log))
