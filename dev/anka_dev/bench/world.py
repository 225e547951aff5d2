"""Objects that benchmarks need in the cluster, made and removed as its administrator."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import itertools
import ssl
import uuid
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from anka_agent.anka.vm import Port, Vm
from anka_agent.plan import report
from anka_crds.api import AnkaInstance
from anka_crds.api.meta import API_VERSION, FINALIZER
from anka_crds.api.vm_info import ResolvedTemplate
from anka_crds.kube.client import KubeClient
from anka_crds.kube.config import Endpoint, load_endpoint
from anka_crds.kube.credentials import StaticCredentials
from anka_crds.kube.errors import NotFound
from anka_crds.kube.kinds import INSTANCES, NODES, TEMPLATES
from anka_crds.kube.lease import LEASES
from anka_crds.kube.resource import Resource
from anka_crds.kube.unstructured import SERVICE_ACCOUNTS
from anka_dev.cloud.install import NODE_NAMESPACE
from anka_dev.controlplane import Cluster

NAMESPACE = "anka-ci"
TEMPLATE = "c12ccfa5-8757-411e-9505-128190e9854e"
TEMPLATE_NAME = "macos-15"
TAG = "vanilla"
# More in flight only wait inside the apiserver.
IN_FLIGHT = 16
_ACCOUNT = "anka-bench"

T = TypeVar("T")


def admin(cluster: Cluster) -> KubeClient:
    """A client with all rights; use it as an async context manager."""
    return KubeClient(load_endpoint(cluster.kubeconfig), user_agent="anka-bench")


def admin_token(cluster: Cluster, directory: Path) -> str:
    """A token with all rights, for load that speaks HTTP itself."""
    manifest = f"""
apiVersion: v1
kind: ServiceAccount
metadata: {{name: {_ACCOUNT}, namespace: default}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {{name: {_ACCOUNT}}}
roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}}
subjects: [{{kind: ServiceAccount, name: {_ACCOUNT}, namespace: default}}]
"""
    cluster.kubectl.run("apply", "--server-side", "--filename=-", stdin=manifest)
    path = cluster.kubeconfig_for(_ACCOUNT, "default", directory / "bench.kubeconfig")
    return path.with_name(f"{path.name}.token").read_text().strip()


def bearer(endpoint: Endpoint, ca_file: str | Path, token: str) -> Endpoint:
    """The same API with a token, and without the certificate of a kubeconfig, which the apiserver would believe before
    any token (and check anew with each request: 0.25 ms of its CPU)."""
    credentials = StaticCredentials({"Authorization": f"Bearer {token}"})
    return replace(endpoint, credentials=credentials, ssl=ssl.create_default_context(cafile=str(ca_file)))


async def each(items: Iterable[T], work: Callable[[T], Awaitable[object]], limit: int = IN_FLIGHT) -> None:
    """`work` on every item, at most `limit` at a time; raises the first error."""
    waiting = iter(items)

    async def worker() -> None:
        for item in waiting:
            await work(item)

    async with asyncio.TaskGroup() as group:
        for _ in range(limit):
            group.create_task(worker())


def manifest(name: str, template: str = TEMPLATE, **spec: Any) -> dict[str, Any]:
    """An AnkaInstance as the API shim sends it, with its finalizer; without labels and annotations."""
    return {
        "apiVersion": API_VERSION,
        "kind": "AnkaInstance",
        "metadata": {"name": name, "namespace": NAMESPACE, "finalizers": [FINALIZER]},
        "spec": {"template": template, "tag": TAG, **spec},
    }


async def make_template(client: KubeClient, *, arch: str = "arm64") -> None:
    """TEMPLATE with its TAG, as the operator mirrors it from a registry."""
    await client.create(TEMPLATES, {"metadata": {"name": TEMPLATE}, "spec": {}})
    status = {"name": TEMPLATE_NAME, "arch": arch, "versions": [{"number": 0, "tag": TAG, "arch": arch}]}
    await client.patch(TEMPLATES, TEMPLATE, {"status": status}, subresource="status")


async def make_instances(client: KubeClient, names: Sequence[str], **spec: Any) -> list[AnkaInstance]:
    """Created in this order as far as concurrency allows, with what a CI plugin usually gives."""
    made: list[AnkaInstance] = []

    async def one(name: str) -> None:
        made.append(await client.create(INSTANCES, manifest(name, **spec), NAMESPACE))

    await each(names, one)
    return made


def bound_status(node: str) -> dict[str, Any]:
    """What the operator writes of one that it bound, but for conditions."""
    return {
        "nodeName": node,
        "template": ResolvedTemplate(id=TEMPLATE, name=TEMPLATE_NAME, tag=TAG, version=0).to_api(),
        "scheduledAt": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "requestId": str(uuid.uuid4()),
        "registry": "http://registry:8089",
    }


def started_status(instance: AnkaInstance, host_ip: str, number: int) -> dict[str, Any]:
    """What the agent writes of one that is bound, with a whole VM."""
    now = datetime.now(UTC)
    return report.started(instance, _vm(instance.metadata.uid, now, number), host_ip=host_ip, now=now)


async def start_instance(client: KubeClient, instance: AnkaInstance, node: str, host_ip: str, number: int) -> None:
    """Write the status that operator and agent write in two steps: bound, and Started with a whole VM."""
    status = bound_status(node)
    known = instance.model_copy(update={"status": type(instance.status).model_validate(status)})
    status |= started_status(known, host_ip, number)
    await client.patch(INSTANCES, instance.metadata.name or "", {"status": status}, NAMESPACE, subresource="status")


def _vm(seed: str, now: datetime, number: int) -> Vm:
    digest = hashlib.sha256(seed.encode()).hexdigest()
    return Vm(
        uuid=str(uuid.UUID(digest[:32])),
        name=f"mgmtManaged-{TEMPLATE_NAME}-{digest[:10]}",
        status="running",
        version=TAG,
        creation_date=now,
        access_date=now,
        start_date=now,
        cpu_cores=4,
        ram="8G",
        arch="arm64",
        ip=f"192.168.64.{number % 250 + 2}",
        mac=":".join(digest[at : at + 2] for at in range(0, 12, 2)),
        vnc_port=5900 + number % 100,
        vnc_connection_string=f"vnc://:admin@192.168.64.1:{5900 + number % 100}",
        ports=(Port("ssh", 22, 10000 + number, "tcp"), Port("vnc", 5900, 20000 + number, "tcp")),
        detailed=True,
    )


async def purge(client: KubeClient) -> None:
    """Remove all instances, nodes, their heartbeats and accounts, and templates, whatever holds them."""
    for resource in (INSTANCES, NODES, TEMPLATES):
        await _remove_all(client, resource)
    await _remove_all(client, LEASES, NODE_NAMESPACE)
    await _remove_all(client, SERVICE_ACCOUNTS, NODE_NAMESPACE, prefix="node-")


async def purge_instances(client: KubeClient) -> None:
    """Remove all instances, whatever holds them."""
    await _remove_all(client, INSTANCES)


async def _remove_all(
    client: KubeClient, resource: Resource[Any], namespace: str | None = None, *, prefix: str = ""
) -> None:
    """What goes by itself meanwhile, with its last finalizer or its owner, is gone as well."""

    async def remove(obj: Any) -> None:
        name, where = obj.metadata.name, obj.metadata.namespace
        with suppress(NotFound):
            if getattr(obj.metadata, "finalizers", None):
                await client.patch(resource, name, {"metadata": {"finalizers": None}}, where)
            await client.delete(resource, name, where)

    found = (await client.list(resource, namespace)).items
    await each((obj for obj in found if (obj.metadata.name or "").startswith(prefix)), remove)


async def keep_changing(client: KubeClient, rate: float) -> None:
    """Until cancelled: one change of one instance after the other, `rate` a second."""
    names = [obj.metadata.name or "" for obj in (await client.list(INSTANCES)).items]
    loop = asyncio.get_running_loop()
    begun = loop.time()
    for number, name in enumerate(itertools.cycle(names)):
        await asyncio.sleep(max(0.0, begun + number / rate - loop.time()))
        await client.patch(INSTANCES, name, {"spec": {"displayName": f"build-{number}"}}, NAMESPACE)


def startup_script() -> str:
    """As CI plugins send it: some lines of shell that start a build agent, in base64."""
    lines = ("#!/bin/bash", "set -e", "curl -fsSL http://ci/agent.jar -o agent.jar", "java -jar agent.jar -secret 0123")
    return base64.b64encode("\n".join(lines).encode()).decode()
