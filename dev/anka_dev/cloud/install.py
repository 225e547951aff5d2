"""What a cluster needs before our processes can run: kinds, policies, namespaces, roles."""

from __future__ import annotations

import json
import time
from collections.abc import Container, Iterable
from pathlib import Path
from typing import Any

from anka_dev.controlplane.cluster import Cluster, apply, wait_established
from anka_dev.errors import DevError

ROOT = Path(__file__).resolve().parents[3]
CRDS = ROOT / "crds"
BASE = ROOT / "charts" / "base"
FINALIZER_POLICY = BASE / "finalizer-policy.yaml"
NEEDS = {
    FINALIZER_POLICY: "mutatingadmissionpolicies",
    BASE / "validation-policy.yaml": "validatingadmissionpolicies",
    BASE / "writers-policy.yaml": "validatingadmissionpolicies",
    BASE / "joining.yaml": "validatingadmissionpolicies",
}
"""What of admissionregistration.k8s.io/v1 a file needs. Where a cluster does not serve it, all works without the file:
the operator adds the finalizer itself, and nobody is kept from what RBAC allows."""

OPERATOR_NAMESPACE = "anka-system"
NODE_NAMESPACE = "anka-nodes"


def install(cluster: Cluster) -> None:
    """Apply all of it, and return once it is in force; may be repeated."""
    # Namespaces first: what lives in them comes after them in the alphabet of file names, or not.
    apply(cluster, CRDS, BASE / "namespaces.yaml")
    wait_established(cluster)
    served = _served(cluster)
    files = usable(sorted(BASE.glob("*.yaml")), served)
    apply(cluster, *files)
    wait_policies(cluster, *files)


def usable(files: Iterable[Path], served: Container[str]) -> list[Path]:
    """Those that a cluster can take which serves these resources of admissionregistration.k8s.io/v1."""
    return [file for file in files if file not in NEEDS or NEEDS[file] in served]


def wait_policies(cluster: Cluster, *files: Path, seconds: float = 90) -> None:
    """Return once the admission policies in ``files`` act on our kinds. DevError after ``seconds``.

    A policy is there before the apiserver has found out about the kinds that it speaks of, which takes up to half a
    minute; until then it refuses their objects. Dry runs ask, for there is nothing that could be awaited.
    """
    deadline = time.monotonic() + seconds
    while not _in_force(cluster, {file.name for file in files}):
        if time.monotonic() > deadline:
            raise DevError(f"the admission policies of {BASE} are not in force after {seconds:g} s")
        time.sleep(0.25)


def _in_force(cluster: Cluster, files: Container[str]) -> bool:
    try:
        made = json.loads(_dry_run(cluster, "AnkaInstance", template="t"))
    except DevError as error:
        if "There can be a delay" not in str(error):
            raise
        return False
    return (
        ("finalizer-policy.yaml" not in files or "finalizers" in made["metadata"])
        and (
            "validation-policy.yaml" not in files
            or _refused(cluster, "anka-instance-metadata", "AnkaInstance", template="t", metadata={"an-object": {}})
        )
        and ("writers-policy.yaml" not in files or _refused(cluster, "anka-join", "AnkaNode", account="node-another"))
        and ("joining.yaml" not in files or _joining_in_force(cluster))
    )


def _joining_in_force(cluster: Cluster) -> bool:
    """Whether a join token makes what it may, which needs the kind AnkaNode to be known to a policy, and no more."""
    owner = {"apiVersion": "anka.veertu.com/v1alpha1", "kind": "AnkaNode", "name": "in-force", "uid": "in-force"}
    return _says(cluster, None, _account(owner)) and _says(cluster, "anka-joiner-account", _account())


def _account(*owners: dict[str, str]) -> dict[str, Any]:
    metadata = {"name": "node-in-force", "namespace": NODE_NAMESPACE, "ownerReferences": list(owners)}
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata}


def _says(cluster: Cluster, policy: str | None, manifest: dict[str, Any]) -> bool:
    """Whether this policy is what refuses it to a join token; None: nothing does."""
    try:
        _create(cluster, manifest, OPERATOR_NAMESPACE, "anka-joiner")
    except DevError as error:
        return policy is not None and f"'{policy}'" in str(error)
    return policy is None


def _refused(cluster: Cluster, policy: str, kind: str, account: str = "", **spec: Any) -> bool:
    try:
        _dry_run(cluster, kind, account, **spec)
    except DevError as error:
        return f"'{policy}'" in str(error)
    return False


def _dry_run(cluster: Cluster, kind: str, account: str = "", **spec: Any) -> str:
    """What would be made; ``account``: by this agent."""
    manifest = {
        "apiVersion": "anka.veertu.com/v1alpha1",
        "kind": kind,
        "metadata": {"name": "in-force", **({"namespace": "default"} if kind == "AnkaInstance" else {})},
        "spec": spec,
    }
    return _create(cluster, manifest, NODE_NAMESPACE, account)


def _create(cluster: Cluster, manifest: dict[str, Any], namespace: str, account: str) -> str:
    """Dry; ``account``: by this ServiceAccount, else by the administrator."""
    groups = (f"system:serviceaccounts:{namespace}", "system:serviceaccounts", "system:authenticated")
    somebody = f"--as=system:serviceaccount:{namespace}:{account}"
    return cluster.kubectl.run(
        "create", "--dry-run=server", "--output=json", "-f-",
        *((somebody, *(f"--as-group={group}" for group in groups)) if account else ()),
        stdin=json.dumps(manifest),
    )  # fmt: skip


def _served(cluster: Cluster) -> set[str]:
    served = json.loads(cluster.kubectl.run("get", "--raw", "/apis/admissionregistration.k8s.io/v1"))
    return {resource["name"] for resource in served["resources"]}


def ensure_node_account(cluster: Cluster, node: str) -> str:
    """The service account by which the agent of ``node`` is known; its name."""
    account = f"node-{node}"
    manifest = f"""
apiVersion: v1
kind: ServiceAccount
metadata: {{name: {account}, namespace: {NODE_NAMESPACE}}}
"""
    cluster.kubectl.run("apply", "--server-side", "--filename=-", stdin=manifest)
    return account
