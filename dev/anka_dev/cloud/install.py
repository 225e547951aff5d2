"""What a cluster needs before our processes can run: kinds, policies, namespaces, roles."""

from __future__ import annotations

from pathlib import Path

from anka_dev.controlplane.cluster import Cluster, apply, wait_established

ROOT = Path(__file__).resolve().parents[3]
CRDS = ROOT / "crds"
BASE = ROOT / "charts" / "base"

OPERATOR_NAMESPACE = "anka-system"
NODE_NAMESPACE = "anka-nodes"


def install(cluster: Cluster) -> None:
    """Apply all of it; may be repeated."""
    # Namespaces first: what lives in them comes after them in the alphabet of file names, or not.
    apply(cluster, CRDS, BASE / "namespaces.yaml")
    wait_established(cluster)
    apply(cluster, BASE)


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
