"""Pods and Nodes: what a team would use instead of our kinds, on the same apiserver."""

from __future__ import annotations

from typing import Any

from anka_dev.bench import cluster_objects as world
from anka_dev.bench.load.plan import NAME
from anka_dev.bench.population import mac_name
from anka_kube.client import KubeClient
from anka_kube.lease import LEASES
from anka_kube.unstructured import raw_resource

Json = dict[str, Any]
PODS = raw_resource("", "v1", "pods", "Pod", namespaced=True)
NODES = raw_resource("", "v1", "nodes", "Node", namespaced=False)
# No pod security there: what a restricted pod has to declare would be work that instances do not have.
NAMESPACE = "default"
_LEASE_NAMESPACE = "kube-node-lease"


def manifest(name: str = NAME) -> Json:
    """A Pod that is as cheap for the apiserver as possible: neither a token nor a grace period."""
    container = {"name": "c", "image": "none", "resources": {"requests": {"cpu": "10m", "memory": "10Mi"}}}
    spec = {"containers": [container], "automountServiceAccountToken": False, "terminationGracePeriodSeconds": 0}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}


def node_of(pod: Json) -> str | None:
    """The node to which a Pod, as the API sends it, is bound."""
    node: str | None = pod["spec"].get("nodeName")
    return node


def is_bound(pod: Json) -> bool:
    return node_of(pod) is not None


def is_running(pod: Json) -> bool:
    return bool(pod.get("status", {}).get("phase") == "Running")


def is_node_ready(node: Json) -> bool:
    conditions = node.get("status", {}).get("conditions", [])
    return any(condition["type"] == "Ready" and condition["status"] == "True" for condition in conditions)


async def make_nodes(client: KubeClient, count: int, slots: int, *, ready: bool) -> None:
    """So many Nodes, named as Macs are, with room for `slots` Pods each, without taints. With `ready` they are Ready
    though nobody plays their kubelets."""
    room = {"cpu": "64", "memory": "256Gi", "pods": str(slots)}
    status: Json = {"capacity": room, "allocatable": room}
    if ready:
        status["conditions"] = [{"type": "Ready", "status": "True", "reason": "Bench", "message": ""}]

    async def one(number: int) -> None:
        name = mac_name(number)
        await client.create(NODES, {"metadata": {"name": name}})
        # The apiserver taints every new node; there is no node controller here to remove the taint.
        await client.patch(NODES, name, {"spec": {"taints": None}})
        await client.patch(NODES, name, {"status": status}, subresource="status")

    await world.each(range(count), one)


async def purge(client: KubeClient) -> None:
    """Remove all Pods of NAMESPACE and all Nodes with their heartbeats; end those that would write them before."""
    await world.remove_all(client, PODS, NAMESPACE)
    await world.remove_all(client, NODES)
    await world.remove_all(client, LEASES, _LEASE_NAMESPACE)
