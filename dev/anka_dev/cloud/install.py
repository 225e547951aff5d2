"""Installs what a cluster needs before our processes run: kinds, policies, namespaces, roles."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable, Container, Iterable, Mapping
from pathlib import Path
from typing import Any

from anka_crds.api.defaults import CI_NAMESPACE, JOINING_NAMESPACE, NODE_NAMESPACE, SYSTEM_NAMESPACE
from anka_dev.repository import BASE, CRDS
from localkube.controlplane.cluster import KubernetesCluster, apply, wait_established
from localkube.errors import DevError

FINALIZER_POLICY = BASE / "finalizer-policy.yaml"
NEEDS = {
    FINALIZER_POLICY: "mutatingadmissionpolicies",
    BASE / "validation-policy.yaml": "validatingadmissionpolicies",
    BASE / "writers-policy.yaml": "validatingadmissionpolicies",
    BASE / "joining.yaml": "validatingadmissionpolicies",
    BASE / "secrets-policy.yaml": "validatingadmissionpolicies",
}
"""The resource of admissionregistration.k8s.io/v1 that a file needs. A cluster that does not serve it works without
the file: the operator adds the finalizer itself, and RBAC alone decides what is allowed."""


def install(cluster: KubernetesCluster) -> None:
    """Apply it, and return once it is in force; may be repeated."""
    # Namespaces first: file names do not sort them before the objects in them.
    apply(cluster, CRDS, BASE / "namespaces.yaml")
    wait_established(cluster)
    served = _get_resources(cluster)
    files = usable(sorted(BASE.glob("*.yaml")), served)
    apply(cluster, *files)
    wait_policies(cluster, *files)


def usable(files: Iterable[Path], served: Container[str]) -> list[Path]:
    """The files that a cluster accepts that serves these resources of admissionregistration.k8s.io/v1."""
    return [file for file in files if file not in NEEDS or NEEDS[file] in served]


def wait_policies(cluster: KubernetesCluster, *files: Path, seconds: float = 90) -> None:
    """Return once the admission policies in ``files`` act on our kinds. DevError after ``seconds``.

    The apiserver learns of the kinds that a policy names only after the policy exists, which takes up to half a
    minute; until then it refuses their objects. There is no event to wait for, so dry runs are tried.
    """
    deadline = time.monotonic() + seconds
    names = {file.name for file in files}
    # Each is asked about until it acts, and not again.
    pending = [is_in_force for name, is_in_force in _IN_FORCE.items() if name in names]
    if FINALIZER_POLICY.name not in names:
        pending.insert(0, _is_served)
    while pending := list(itertools.dropwhile(lambda is_in_force: _is_true(is_in_force, cluster), pending)):
        if time.monotonic() > deadline:
            raise DevError(f"the admission policies of {BASE} are not in force after {seconds:g} s")
        time.sleep(0.25)


def _is_true(is_in_force: Callable[[KubernetesCluster], bool], cluster: KubernetesCluster) -> bool:
    try:
        return is_in_force(cluster)
    except DevError as error:
        if "There can be a delay" not in str(error):
            raise
        return False


def _is_served(cluster: KubernetesCluster) -> bool:
    return bool(_dry_run(cluster, "AnkaInstance", template="t"))


def _is_finalizer_added(cluster: KubernetesCluster) -> bool:
    return "finalizers" in json.loads(_dry_run(cluster, "AnkaInstance", template="t"))["metadata"]


def _is_instance_validated(cluster: KubernetesCluster) -> bool:
    return _refuses(cluster, "anka-instance-metadata", "AnkaInstance", template="t", metadata={"an-object": {}})


def _is_agent_restricted(cluster: KubernetesCluster) -> bool:
    return _refuses(cluster, "anka-join", "AnkaNode", account="node-another")


def _is_operator_restricted(cluster: KubernetesCluster) -> bool:
    return _is_decided_by(cluster, "anka-secret-rights", _ROLE, "anka-operator", SYSTEM_NAMESPACE)


def _is_joining_in_force(cluster: KubernetesCluster) -> bool:
    """Whether a join token can create what it may, for which a policy must know the kind AnkaNode, and nothing else."""
    kind = {"apiVersion": "anka.veertu.com/v1alpha1", "kind": "AnkaNode"}
    owner = {**kind, "name": "in-force", "uid": "in-force"}
    token = ("in-force", JOINING_NAMESPACE)
    node = {**kind, "metadata": {"name": "in-force"}, "spec": {}}
    return (
        _is_decided_by(cluster, None, _account(owner), *token)
        and _is_decided_by(cluster, "anka-joiner-account", _account(), *token)
        and _is_decided_by(cluster, None, node, *token)
        and _is_decided_by(cluster, "anka-joiner-name", _account(owner), "another", JOINING_NAMESPACE)
    )


def _account(*owners: dict[str, str]) -> dict[str, Any]:
    metadata = {"name": "node-in-force", "namespace": NODE_NAMESPACE, "ownerReferences": list(owners)}
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata}


_ROLE = {
    "apiVersion": "rbac.authorization.k8s.io/v1",
    "kind": "Role",
    "metadata": {"name": "in-force", "namespace": CI_NAMESPACE},
    "rules": [],
}
"""RBAC lets the operator make it, the policy does not."""


def _is_decided_by(
    cluster: KubernetesCluster, policy: str | None, manifest: dict[str, Any], account: str, namespace: str
) -> bool:
    """Whether this policy refuses the manifest to the ServiceAccount; None: whether nothing does."""
    try:
        _create(cluster, manifest, namespace, account)
    except DevError as error:
        return policy is not None and f"'{policy}'" in str(error)
    return policy is None


def _refuses(cluster: KubernetesCluster, policy: str, kind: str, account: str = "", **spec: Any) -> bool:
    try:
        _dry_run(cluster, kind, account, **spec)
    except DevError as error:
        return f"'{policy}'" in str(error)
    return False


def _dry_run(cluster: KubernetesCluster, kind: str, account: str = "", **spec: Any) -> str:
    """Create by a dry run; returns the object. ``account``: as this agent."""
    manifest = {
        "apiVersion": "anka.veertu.com/v1alpha1",
        "kind": kind,
        "metadata": {"name": "in-force", **({"namespace": "default"} if kind == "AnkaInstance" else {})},
        "spec": spec,
    }
    return _create(cluster, manifest, NODE_NAMESPACE, account)


def _create(cluster: KubernetesCluster, manifest: dict[str, Any], namespace: str, account: str) -> str:
    """Create by a dry run as the ServiceAccount ``account``, or as the administrator when it is empty."""
    groups = (f"system:serviceaccounts:{namespace}", "system:serviceaccounts", "system:authenticated")
    user = f"--as=system:serviceaccount:{namespace}:{account}"
    return cluster.kubectl.run(
        "create", "--dry-run=server", "--output=json", "-f-",
        *((user, *(f"--as-group={group}" for group in groups)) if account else ()),
        stdin=json.dumps(manifest),
    )  # fmt: skip


def _get_resources(cluster: KubernetesCluster) -> set[str]:
    served = json.loads(cluster.kubectl.run("get", "--raw", "/apis/admissionregistration.k8s.io/v1"))
    return {resource["name"] for resource in served["resources"]}


_IN_FORCE: Mapping[str, Callable[[KubernetesCluster], bool]] = {
    FINALIZER_POLICY.name: _is_finalizer_added,
    "validation-policy.yaml": _is_instance_validated,
    "writers-policy.yaml": _is_agent_restricted,
    "joining.yaml": _is_joining_in_force,
    "secrets-policy.yaml": _is_operator_restricted,
}
"""By the file's name: whether its policies act."""


def ensure_node_account(cluster: KubernetesCluster, node: str) -> str:
    """Create the service account of the agent of ``node``; returns its name."""
    account = f"node-{node}"
    manifest = f"""
apiVersion: v1
kind: ServiceAccount
metadata: {{name: {account}, namespace: {NODE_NAMESPACE}}}
"""
    cluster.kubectl.run("apply", "--server-side", "--filename=-", stdin=manifest)
    return account
