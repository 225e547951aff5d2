"""The cloud as a whole as a row. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from anka_crds.api.node import AnkaNode
from anka_shim.portal.rows.row import Row, compact

CLOUD_ID = "cloud"


@dataclass(frozen=True)
class RegistryState:
    url: str
    status: str
    total_bytes: int | None = None
    free_bytes: int | None = None


def cloud_row(
    *,
    version: str,
    namespace: str,
    node_namespace: str,
    registry: RegistryState,
    nodes: Iterable[AnkaNode],
    average_queue_seconds: float,
    replicas: int,
) -> Row:
    """`replicas`: that this one reaches, itself among them."""
    licenses = {
        node.status.anka_version.license
        for node in nodes
        if node.status.anka_version is not None and node.status.anka_version.license
    }
    return compact(
        id=CLOUD_ID,
        version=version,
        namespace=namespace,
        nodeNamespace=node_namespace,
        registry=compact(
            url=registry.url,
            status=registry.status,
            totalBytes=registry.total_bytes,
            freeBytes=registry.free_bytes,
        ),
        licenses=sorted(licenses),
        averageQueueSeconds=average_queue_seconds,
        replicas={"total": replicas, "reached": replicas},
    )
