"""What the chart adds where MAC addresses are managed, for processes under their own ServiceAccounts."""

from __future__ import annotations

import json
from typing import Any

from localkube.controlplane import KubernetesCluster

FLAG = "--manage-mac-addresses"


def _binding(role: str, *accounts: str) -> dict[str, Any]:
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": role},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
        "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": "anka-system"} for name in accounts],
    }


def bind_roles(cluster: KubernetesCluster) -> None:
    bindings = (
        _binding("anka-mac-pools", "anka-operator", "anka-shim"),
        _binding("anka-mac-pool-counts", "anka-operator"),
    )
    cluster.kubectl.run("apply", "-f-", stdin="\n---\n".join(map(json.dumps, bindings)))


def pool_spec(last: int, rest: int) -> dict[str, Any]:
    """The addresses from 1 to `last`."""
    ranges = [{"first": "02:00:00:00:00:01", "last": f"02:00:00:00:00:{last:02X}"}]
    return {"ranges": ranges, "reuseAfterSeconds": rest}
