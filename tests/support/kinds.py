"""A cluster that serves our kinds, with the admission policies in force."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from localkube.controlplane import KubernetesCluster

ROOT = Path(__file__).resolve().parents[2]
NAMESPACE = "kinds"


def instance(name: str, **spec: Any) -> str:
    return json.dumps(
        {
            "apiVersion": "anka.veertu.com/v1alpha1",
            "kind": "AnkaInstance",
            "metadata": {"name": name, "namespace": NAMESPACE},
            "spec": {"template": "t", **spec},
        }
    )


@pytest.fixture(scope="session")
def served_kinds(installed: KubernetesCluster) -> KubernetesCluster:
    namespace = json.dumps({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
    installed.kubectl.run("apply", "-f-", stdin=namespace)
    return installed


def bind_shim(cluster: KubernetesCluster, *roles: str) -> None:
    """Gives the shim's account the ClusterRoles `anka-ROLE`, as the chart does where their flags are on."""
    for role in roles:
        binding = {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": f"anka-shim-{role}"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": f"anka-{role}"},
            "subjects": [{"kind": "ServiceAccount", "name": "anka-shim", "namespace": "anka-system"}],
        }
        cluster.kubectl.run("apply", "-f-", stdin=json.dumps(binding))


@contextmanager
def nothing_left(cluster: KubernetesCluster) -> Iterator[None]:
    """Other modules share the cluster: what is made inside the block is removed at its end, whatever holds it.
    That is about our kinds and ClusterRoleBindings."""
    before = _list_all(cluster)
    yield
    for kind, namespace, name in sorted(_list_all(cluster) - before):
        where = [f"--namespace={namespace}"] if namespace else []
        if kind != _BINDINGS:
            no_finalizers = '--patch={"metadata":{"finalizers":null}}'
            cluster.kubectl.run("patch", kind, name, *where, "--type=merge", no_finalizers)
        cluster.kubectl.run("delete", kind, name, *where, "--ignore-not-found")


_BINDINGS = "clusterrolebindings.rbac.authorization.k8s.io"


def _list_all(cluster: KubernetesCluster) -> set[tuple[str, str, str]]:
    """Kind, namespace and name of each."""
    ours = cluster.kubectl.run("api-resources", "--api-group=anka.veertu.com", "--output=name").split()
    found = json.loads(cluster.kubectl.run("get", ",".join([*ours, _BINDINGS]), "--all-namespaces", "--output=json"))
    return {
        (_name_kind(item), item["metadata"].get("namespace", ""), item["metadata"]["name"]) for item in found["items"]
    }


def _name_kind(item: dict[str, Any]) -> str:
    """As kubectl takes it: `AnkaNode.v1alpha1.anka.veertu.com`."""
    group, _, version = item["apiVersion"].partition("/")
    return _BINDINGS if item["kind"] == "ClusterRoleBinding" else f"{item['kind']}.{version}.{group}"
