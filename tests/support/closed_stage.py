"""A cloud for the old controller's clients that is closed: each credential is made as its administrators are told."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import pytest

from anka_dev.cloud import LocalCloud
from clients.credential import Credential, UserKey, basic
from support.api_keys import SEAL_KEY
from support.client_authority import ClientAuthority
from support.client_stage import Stage, make_stage_cloud, start_macs, with_group
from support.machine_provider import MACHINE, PORTAL, MachineProvider, provider
from support.rsa_keys import PRIVATE, PUBLIC, to_pem
from support.shim_process import ShimProcess, shim_process
from support.tls_server import client_context

ROOT_TOKEN = "the root token: with blanks, é and %"
ROOT = basic("root", ROOT_TOKEN)
GROUPS = {
    # What CI plugins use, as docs/operate/access.md has it.
    "ci": ["list_vms", "start_vm", "update_vm", "terminate_vm", "registry_list", "list_nodes", "get_groups",
           "save_image", "list_images", "get_registry_disk_info", "view_logs"],
    # What a Mac's own scripts do besides.
    "macs": ["change_node_config", "delete_node", "registry_distribute", "registry_distribute_status"],
}  # fmt: skip
PIPELINE = """
apiVersion: v1
kind: ServiceAccount
metadata: {name: pipeline, namespace: anka-ci}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: anka-pipeline}
rules:
  - apiGroups: [anka.veertu.com]
    resources: [ankainstances]
    verbs: [list, create, patch, delete]
  - apiGroups: [anka.veertu.com]
    resources: [ankanodes, ankatemplates, nodegroups]
    verbs: [list]
"""
SHIM_ROLES = ("anka-api-keys", "anka-permission-groups", "anka-reviews")
SHORT_SECONDS = 10


@dataclass(frozen=True)
class ClosedStage:
    """`doors`: a stage for each credential, by its name. `short`: a shim whose sessions soon end."""

    doors: dict[str, Stage]
    short: Stage
    oidc: MachineProvider
    shims: tuple[ShimProcess, ...]


@pytest.fixture(scope="module")
def closed(
    make_cloud: Callable[[], LocalCloud], ssh_key: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ClosedStage]:
    folder = tmp_path_factory.mktemp("closed")
    ca = ClientAuthority()
    server = ca.issue_server().write(folder, "server.pem")
    (folder / "clients.pem").write_bytes(ca.pem)
    for name, content in (("root", ROOT_TOKEN), ("seal", SEAL_KEY), ("key.pem", to_pem(PRIVATE))):
        (folder / name).write_text(content)
    cloud, broken = make_stage_cloud(make_cloud)
    let_shim_know_who_asks(cloud)
    with ExitStack() as stack:
        oidc = stack.enter_context(provider(folder))
        flags = (
            *(["--registry-url=" + cloud.registry.url] if cloud.registry else []), "--terminated-seconds=3",
            "--enable-auth", f"--root-token-file={folder / 'root'}", "--enable-authorization",
            "--enable-api-keys", f"--seal-key-file={folder / 'seal'}", "--enable-kubernetes-tokens",
            f"--oidc-provider-url={oidc.url}", f"--oidc-client-id={PORTAL.id}", f"--oidc-audiences={MACHINE.id}",
        )  # fmt: skip
        tls = f"--tls-cert-file={server}", f"--client-ca-file={folder / 'clients.pem'}"
        trusting = client_context(ca, folder)
        with_certificate = client_context(ca, folder, ca.issue(("CN", "jenkins"), ("O", "Example"), ("OU", "ci")))
        kubeconfig = cloud.cluster.kubeconfig_for("anka-shim", "anka-system", folder / "kubeconfig")
        plain, short, secure = (
            stack.enter_context(shim_process(kubeconfig, *flags, *more, verify=verify))
            for more, verify in (
                ((), True),
                ((f"--api-key-session-seconds={SHORT_SECONDS}",), True),
                (tls, trusting),
            )
        )
        for shim in (plain, short, secure):
            shim.wait_ready()
        start_macs(cloud)
        assert cloud.registry is not None
        stage = Stage(cloud, cloud.registry.templates[0], broken, "", ssh_key, plain.url, root=ROOT)
        stage = with_group(stage)
        for group, permissions in GROUPS.items():
            stage.rest("POST", f"/admin/api/v1/permission/group/{group}/permissions", permissions)
        for key, groups in (("jenkins", ["ci"]), ("mac", ["ci", "macs"])):
            new = {"id": key, "ttl": 3600, "groups": groups, "publicKey": PUBLIC}
            stage.rest("POST", "/api/v1/apikey", new)
        token = cloud.kubectl.run("create", "token", "pipeline", "--namespace=anka-ci", "--audience=anka").strip()
        credentials = {
            "root": Credential(root_token=ROOT_TOKEN, header=ROOT),
            "key": Credential(key=UserKey("jenkins", folder / "key.pem")),
            "mac key": Credential(key=UserKey("mac", folder / "key.pem")),
            "oidc": Credential(oidc=MACHINE),
            "token": Credential(header=f"Bearer {token}"),
        }
        doors = {name: replace(stage, credential=credential) for name, credential in credentials.items()}
        doors["certificate"] = replace(stage, url=secure.url, credential=Credential(tls=with_certificate))
        found = ClosedStage(doors, replace(doors["key"], url=short.url), oidc, (plain, short, secure))
        # Each shim, and RBAC, has seen what was just made.
        for one in (*doors.values(), found.short):
            for made, path in ((1, "/api/v1/group"), (2, "/api/v1/apikey"), (2, "/admin/api/v1/permission/group")):
                one.until(partial(has, one, path, made))
        plain.until_true(
            lambda: plain.get("/api/v1/vm", headers={"Authorization": f"Bearer {token}"}).status_code == 200
        )
        yield found


def has(stage: Stage, path: str, many: int) -> bool:
    return len(stage.rest("GET", path)) == many


def let_shim_know_who_asks(cloud: LocalCloud) -> None:
    """What the chart binds where these flags are on; and a pipeline's account, as the documentation has it."""
    bindings = [
        (f"shim-{role}", role, {"kind": "ServiceAccount", "namespace": "anka-system", "name": "anka-shim"})
        for role in SHIM_ROLES
    ]
    bindings.append(
        ("anka-pipeline", "anka-pipeline", {"kind": "ServiceAccount", "namespace": "anka-ci", "name": "pipeline"})
    )
    manifests = [PIPELINE] + [
        json.dumps(
            {
                "apiVersion": "rbac.authorization.k8s.io/v1",
                "kind": "ClusterRoleBinding",
                "metadata": {"name": name},
                "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
                "subjects": [subject],
            }
        )
        for name, role, subject in bindings
    ]
    cloud.kubectl.run("apply", "-f-", stdin="\n---\n".join(manifests))
