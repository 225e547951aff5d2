"""What a cluster needs before our processes can run: kinds, policies, namespaces, roles."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from anka_dev.controlplane.cluster import Cluster, apply, wait_established
from anka_dev.errors import DevError

ROOT = Path(__file__).resolve().parents[3]
CRDS = ROOT / "crds"
BASE = ROOT / "charts" / "base"
FINALIZER_POLICY = BASE / "finalizer-policy.yaml"

OPERATOR_NAMESPACE = "anka-system"
NODE_NAMESPACE = "anka-nodes"


def install(cluster: Cluster) -> None:
    """Apply all of it, and return once it is in force; may be repeated."""
    # Namespaces first: what lives in them comes after them in the alphabet of file names, or not.
    apply(cluster, CRDS, BASE / "namespaces.yaml")
    wait_established(cluster)
    finalizes = _serves_mutating_policies(cluster)
    apply(cluster, *(file for file in sorted(BASE.glob("*.yaml")) if finalizes or file != FINALIZER_POLICY))
    wait_policies(cluster, finalizes=finalizes)


def wait_policies(cluster: Cluster, *, finalizes: bool = True, seconds: float = 90) -> None:
    """Return once the admission policies act on our kinds. DevError after ``seconds``.

    A policy is there before the apiserver has found out about the kinds that it speaks of, which takes up to half a
    minute; until then it refuses their objects. Dry runs ask, for there is nothing that could be awaited.
    """
    deadline = time.monotonic() + seconds
    while not _in_force(cluster, finalizes):
        if time.monotonic() > deadline:
            raise DevError(f"the admission policies of {BASE} are not in force after {seconds:g} s")
        time.sleep(0.25)


def _in_force(cluster: Cluster, finalizes: bool) -> bool:
    try:
        made = json.loads(_dry_run(cluster, {}))
    except DevError as error:
        if "There can be a delay" not in str(error):
            raise
        return False
    if finalizes and "finalizers" not in made["metadata"]:
        return False
    try:
        _dry_run(cluster, {"metadata": {"an-object": {}}})
    except DevError:
        return True
    return False


def _dry_run(cluster: Cluster, spec: dict[str, Any]) -> str:
    manifest = {
        "apiVersion": "anka.veertu.com/v1alpha1",
        "kind": "AnkaInstance",
        "metadata": {"name": "in-force", "namespace": "default"},
        "spec": {"template": "t", **spec},
    }
    return cluster.kubectl.run("create", "--dry-run=server", "--output=json", "-f-", stdin=json.dumps(manifest))


def _serves_mutating_policies(cluster: Cluster) -> bool:
    """Older clusters do not; there the operator adds the finalizer itself."""
    served = json.loads(cluster.kubectl.run("get", "--raw", "/apis/admissionregistration.k8s.io/v1"))
    return any(resource["name"] == "mutatingadmissionpolicies" for resource in served["resources"])


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
