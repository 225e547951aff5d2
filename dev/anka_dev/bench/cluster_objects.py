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

from anka_agent.anka.vm import Vm, VmPort
from anka_agent.plan import instance_report as report
from anka_crds.api import AnkaInstance
from anka_crds.api.defaults import CI_NAMESPACE, NODE_NAMESPACE
from anka_crds.api.meta import API_VERSION, FINALIZER
from anka_crds.api.vm_info import ResolvedTemplate
from anka_crds.resources import INSTANCES, NODES, TEMPLATES
from anka_kube.client import KubeClient
from anka_kube.config import load_endpoint
from anka_kube.credentials import StaticCredentials
from anka_kube.endpoint import Endpoint
from anka_kube.errors import NotFound
from anka_kube.lease import LEASES
from anka_kube.resource import Resource
from anka_kube.unstructured import SERVICE_ACCOUNTS
from localkube.controlplane import KubernetesCluster

TEMPLATE = "c12ccfa5-8757-411e-9505-128190e9854e"
TEMPLATE_NAME = "macos-15"
TAG = "vanilla"
# More in flight only wait inside the apiserver.
IN_FLIGHT = 16
_ACCOUNT = "anka-bench"

T = TypeVar("T")


def admin(cluster: KubernetesCluster) -> KubeClient:
    """A client with all rights; use it as an async context manager."""
    return KubeClient(load_endpoint(cluster.kubeconfig), user_agent="anka-bench")


def admin_token(cluster: KubernetesCluster, directory: Path) -> str:
    """A token with all rights, for load that speaks HTTP itself."""
    return token_of(admin_kubeconfig(cluster, directory))


def token_of(kubeconfig: Path) -> str:
    """The token of what `admin_kubeconfig` made."""
    return kubeconfig.with_name(f"{kubeconfig.name}.token").read_text().strip()


def admin_kubeconfig(cluster: KubernetesCluster, directory: Path) -> Path:
    """A kubeconfig with all rights by a token, as ours have: a client certificate costs the apiserver 0.25 ms of CPU
    for each request."""
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
    return cluster.kubeconfig_for(_ACCOUNT, "default", directory / "bench.kubeconfig")


def bearer(endpoint: Endpoint, ca_file: str | Path, token: str) -> Endpoint:
    """The same API with a token, and without the client certificate of a kubeconfig, which takes precedence over tokens
    and costs the apiserver 0.25 ms of CPU for each request."""
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
        "metadata": {"name": name, "namespace": CI_NAMESPACE, "finalizers": [FINALIZER]},
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
        made.append(await client.create(INSTANCES, manifest(name, **spec), CI_NAMESPACE))

    await each(names, one)
    return made


def status_when_bound(node: str) -> dict[str, Any]:
    """The status that the operator writes when it binds an instance, without conditions."""
    return {
        "nodeName": node,
        "template": ResolvedTemplate(id=TEMPLATE, name=TEMPLATE_NAME, tag=TAG, version=0).to_api(),
        "scheduledAt": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "requestId": str(uuid.uuid4()),
        "registry": "http://registry:8089",
    }


def status_when_started(instance: AnkaInstance, host_ip: str, number: int) -> dict[str, Any]:
    """The status that the agent writes when the VM runs."""
    now = datetime.now(UTC)
    return report.to_started(instance, _vm(instance.metadata.uid, now, number), host_ip=host_ip, now=now)


async def start_instance(client: KubeClient, instance: AnkaInstance, node: str, host_ip: str, number: int) -> None:
    """Write the status that operator and agent write in two steps: bound, and Started with a whole VM."""
    status = status_when_bound(node)
    known = instance.model_copy(update={"status": type(instance.status).model_validate(status)})
    status |= status_when_started(known, host_ip, number)
    await client.patch(INSTANCES, instance.metadata.name or "", {"status": status}, CI_NAMESPACE, subresource="status")


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
        ports=(VmPort("ssh", 22, 10000 + number, "tcp"), VmPort("vnc", 5900, 20000 + number, "tcp")),
        detailed=True,
    )


async def purge(client: KubeClient) -> None:
    """Remove all instances, nodes, their heartbeats and accounts, and templates, finalizers included."""
    for resource in (INSTANCES, NODES, TEMPLATES):
        await remove_all(client, resource)
    await remove_all(client, LEASES, NODE_NAMESPACE)
    await remove_all(client, SERVICE_ACCOUNTS, NODE_NAMESPACE, prefix="node-")


async def purge_instances(client: KubeClient) -> None:
    """Remove all instances, finalizers included."""
    await remove_all(client, INSTANCES)


async def remove_all(
    client: KubeClient, resource: Resource[Any], namespace: str | None = None, *, prefix: str = ""
) -> None:
    """Delete all objects whose names begin so, finalizers included; one that was removed meanwhile, by its last
    finalizer or with its owner, is no error."""

    async def remove(obj: Any) -> None:
        name, where = obj.metadata.name, obj.metadata.namespace
        with suppress(NotFound):
            if getattr(obj.metadata, "finalizers", None):
                await client.patch(resource, name, {"metadata": {"finalizers": None}}, where)
            await client.delete(resource, name, where)

    found = (await client.list(resource, namespace)).items
    await each((obj for obj in found if (obj.metadata.name or "").startswith(prefix)), remove)


async def keep_changing(client: KubeClient, rate: float, names: Sequence[str] = ()) -> None:
    """Until cancelled: one change of one instance after the other, `rate` a second; of all, if none are named."""
    names = names or [obj.metadata.name or "" for obj in (await client.list(INSTANCES)).items]
    loop = asyncio.get_running_loop()
    begun = loop.time()
    for number, name in enumerate(itertools.cycle(names)):
        await asyncio.sleep(max(0.0, begun + number / rate - loop.time()))
        await client.patch(INSTANCES, name, {"spec": {"displayName": f"build-{number}"}}, CI_NAMESPACE)


def startup_script() -> str:
    """As CI plugins send it: some lines of shell that start a build agent, in base64."""
    lines = ("#!/bin/bash", "set -e", "curl -fsSL http://ci/agent.jar -o agent.jar", "java -jar agent.jar -secret 0123")
    return base64.b64encode("\n".join(lines).encode()).decode()
