"""How many writes the apiserver took, as its own metrics count them."""

from __future__ import annotations

from anka_dev.bench.api_counters import parse
from localkube.controlplane import KubernetesCluster


def count_writes(metrics: str, resource: str) -> int:
    """Requests of the metrics page that changed objects of `resource`, refused ones and dry runs left out. Pure."""
    return int(parse(metrics, at=0.0).writes.get(resource, 0.0))


def writes_of(cluster: KubernetesCluster, resource: str = "ankainstances") -> int:
    """So far, since the apiserver started."""
    return count_writes(cluster.kubectl.run("get", "--raw", "/metrics"), resource)
