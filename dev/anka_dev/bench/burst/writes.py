"""How many writes the apiserver took, as its own metrics count them."""

from __future__ import annotations

import re

from anka_dev.controlplane import Cluster

_LABEL = re.compile(r'(\w+)="([^"]*)"')
_WRITES = frozenset({"POST", "PUT", "PATCH", "APPLY", "DELETE"})


def counted(metrics: str, resource: str) -> int:
    """Requests of the metrics page that changed objects of `resource`, refused ones and dry runs left out. Pure."""
    total = 0.0
    for line in metrics.splitlines():
        if not line.startswith("apiserver_request_total{"):
            continue
        labels = dict(_LABEL.findall(line))
        if labels.get("resource") != resource or labels.get("verb") not in _WRITES or labels.get("dry_run"):
            continue
        if labels.get("code", "").startswith("2"):
            total += float(line.rsplit(" ", 1)[1])
    return int(total)


def writes_of(cluster: Cluster, resource: str = "ankainstances") -> int:
    """So far, since the apiserver started."""
    return counted(cluster.kubectl.run("get", "--raw", "/metrics"), resource)
