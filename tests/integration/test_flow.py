"""Which of our requests an overloaded apiserver serves first: it names the rule that each request fell under."""

from __future__ import annotations

import json
import ssl
from typing import Any

import httpx
import pytest

from anka_dev.cloud import LocalCloud
from anka_dev.cloud.install import ensure_node_account

pytestmark = pytest.mark.integration

LEASES = "/apis/coordination.k8s.io/v1/namespaces"
INSTANCES = "/apis/anka.veertu.com/v1alpha1/ankainstances"
OURS = ("anka-leader", "anka-heartbeats")

CASES = [
    ("anka-system/anka-operator", "GET", f"{LEASES}/anka-system/leases/anka-operator", "anka-leader"),
    ("anka-system/anka-operator", "POST", f"{LEASES}/anka-system/leases", "anka-leader"),
    ("anka-system/anka-operator", "PATCH", f"{LEASES}/anka-system/leases/anka-operator", "anka-leader"),
    ("anka-system/anka-operator", "GET", f"{LEASES}/anka-nodes/leases/mac-a", "anka-leader"),
    ("anka-nodes/node-mac-a", "POST", f"{LEASES}/anka-nodes/leases", "anka-heartbeats"),
    ("anka-nodes/node-mac-a", "PATCH", f"{LEASES}/anka-nodes/leases/mac-a", "anka-heartbeats"),
    # All else has its turn with everybody else's.
    ("anka-system/anka-operator", "GET", INSTANCES, None),
    ("anka-nodes/node-mac-a", "GET", f"{INSTANCES}?fieldSelector=status.nodeName=mac-a", None),
    ("anka-nodes/node-mac-a", "PATCH", f"{LEASES}/anka-system/leases/anka-operator", None),
    ("anka-system/anka-shim", "GET", INSTANCES, None),
    ("anka-system/anka-shim", "PATCH", f"{LEASES}/anka-system/leases/anka-operator", None),
]


@pytest.fixture(scope="module")
def schemas(operator_cloud: LocalCloud) -> dict[str, dict[str, Any]]:
    """Ours, by uid."""
    kubectl = operator_cloud.cluster.kubectl
    ensure_node_account(operator_cloud.cluster, "mac-a")
    # Its rule counts once its priority level is found.
    kubectl.run("wait", "--for=condition=Dangling=False", "flowschema", *OURS, "--timeout=30s")
    listed = json.loads(kubectl.run("get", "flowschemas", "--output=json"))["items"]
    return {one["metadata"]["uid"]: one for one in listed if one["metadata"]["name"] in OURS}


@pytest.mark.parametrize(("who", "method", "path", "expected"), CASES)
def test_who_comes_first(
    operator_cloud: LocalCloud,
    schemas: dict[str, dict[str, Any]],
    who: str,
    method: str,
    path: str,
    expected: str | None,
) -> None:
    cluster, (namespace, account) = operator_cloud.cluster, who.split("/")
    token = cluster.kubectl.run("create", "token", account, f"--namespace={namespace}").strip()
    answer = httpx.request(
        method,
        cluster.server + path,
        content="{}" if method in ("POST", "PATCH") else None,
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/merge-patch+json"},
        verify=ssl.create_default_context(cafile=str(cluster.ca_file)),
    )
    # Which rule it falls under is decided before what becomes of it.
    schema = schemas.get(answer.headers["X-Kubernetes-PF-FlowSchema-UID"])
    assert (schema["metadata"]["name"] if schema is not None else None) == expected
