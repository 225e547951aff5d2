"""Two schedulers with the same task: our operator on AnkaInstances, kube-scheduler on Pods."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from anka_crds.kube.client import KubeClient
from anka_crds.kube.kinds import INSTANCES, NODES
from anka_crds.kube.lease import LEASES, micro_time
from anka_crds.kube.resource import Resource
from anka_crds.kube.unstructured import unstructured
from anka_dev.bench import world
from anka_dev.bench.bench import OPERATOR_FLAGS, Bench
from anka_dev.bench.load.plan import NAME
from anka_dev.cloud import LocalCloud
from anka_dev.cloud.install import NODE_NAMESPACE
from anka_dev.controlplane import versions
from anka_dev.controlplane.process import Component
from anka_dev.controlplane.readiness import ended
from anka_dev.controlplane.scheduler import start_kube_scheduler

Json = dict[str, Any]
PODS = unstructured("", "v1", "pods", "Pod", namespaced=True)
KUBE_NODES = unstructured("", "v1", "nodes", "Node", namespaced=False)
# Longer than any run: nobody renews the heartbeats of nodes that are not there.
_LEASE_SECONDS = 7200


class Contestant(ABC):
    """One of them. `prepare` once, then `start` and `stop` for each run."""

    name: str
    resource: Resource[Any]

    @abstractmethod
    async def prepare(self, client: KubeClient, nodes: int, slots: int) -> None:
        """Make the nodes."""

    @abstractmethod
    def start(self) -> None:
        """Start the scheduler; it may need some moments more."""

    @abstractmethod
    def stop(self) -> None: ...

    @abstractmethod
    def check(self) -> None:
        """DevError when the scheduler ended by itself."""

    @abstractmethod
    def pids(self) -> Mapping[str, int]:
        """Of the scheduler, while it runs."""

    @abstractmethod
    def body(self) -> Json:
        """What is created; its name is a placeholder."""

    @abstractmethod
    def node_of(self, raw: Json) -> str | None:
        """Which node the object has."""


class Ours(Contestant):
    name = "anka"
    resource = INSTANCES

    def __init__(self, cloud: LocalCloud) -> None:
        self._cloud = cloud

    async def prepare(self, client: KubeClient, nodes: int, slots: int) -> None:
        await world.make_template(client)

        async def one(number: int) -> None:
            name = node_name(number)
            await client.create(NODES, {"metadata": {"name": name}, "spec": {"maxVmCount": slots}})
            status = {
                "hostArch": "arm64",
                "cpuCount": 8,
                "ramGib": 64,
                "ankaVersion": {"version": "3.5.0", "licenseStatus": "valid"},
                "templates": [{"uuid": world.TEMPLATE, "name": world.TEMPLATE_NAME, "tag": world.TAG}],
            }
            await client.patch(NODES, name, {"status": status}, subresource="status")
            now = micro_time(datetime.now(UTC))
            spec = {"holderIdentity": name, "leaseDurationSeconds": _LEASE_SECONDS, "renewTime": now}
            await client.create(LEASES, {"metadata": {"name": name}, "spec": spec}, NODE_NAMESPACE)

        await world.each(range(nodes), one)

    def start(self) -> None:
        if self._cloud.operators:
            self._cloud.operators[0].start()
        else:
            self._cloud.start_operator(*OPERATOR_FLAGS)
        self._cloud.operators[0].wait_ready()

    def stop(self) -> None:
        for operator in self._cloud.operators:
            operator.stop()

    def check(self) -> None:
        self._cloud.check()

    def pids(self) -> Mapping[str, int]:
        return {}  # the cloud's processes are metered anyway

    def body(self) -> Json:
        return world.manifest(NAME)

    def node_of(self, raw: Json) -> str | None:
        node: str | None = raw.get("status", {}).get("nodeName")
        return node


class KubeScheduler(Contestant):
    name = "kube_scheduler"
    resource = PODS

    def __init__(self, bench: Bench, directory: Path) -> None:
        self._bench = bench
        self._directory = directory
        self._process: Component | None = None

    async def prepare(self, client: KubeClient, nodes: int, slots: int) -> None:
        async def one(number: int) -> None:
            name = node_name(number)
            await client.create(KUBE_NODES, {"metadata": {"name": name}})
            # The apiserver taints every new node; there is no node controller here to take that away.
            await client.patch(KUBE_NODES, name, {"spec": {"taints": None}})
            room = {"cpu": "64", "memory": "256Gi", "pods": str(slots)}
            ready = {"type": "Ready", "status": "True", "reason": "Bench", "message": ""}
            status = {"capacity": room, "allocatable": room, "conditions": [ready]}
            await client.patch(KUBE_NODES, name, {"status": status}, subresource="status")

        await world.each(range(nodes), one)

    def start(self) -> None:
        self._process = start_kube_scheduler(self._bench.cluster, self._directory, self._bench.say)

    def stop(self) -> None:
        if self._process is not None:
            self._process.stop()
            self._process = None

    def check(self) -> None:
        if self._process is not None and not self._process.running:
            raise ended(self._process)

    def pids(self) -> Mapping[str, int]:
        return {} if self._process is None else {versions.SCHEDULER: self._process.pid}

    def body(self) -> Json:
        container = {"name": "c", "image": "none", "resources": {"requests": {"cpu": "10m", "memory": "10Mi"}}}
        # Nothing that costs the apiserver more than it has to: neither a token nor a grace period.
        spec = {"containers": [container], "automountServiceAccountToken": False, "terminationGracePeriodSeconds": 0}
        return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": NAME}, "spec": spec}

    def node_of(self, raw: Json) -> str | None:
        node: str | None = raw["spec"].get("nodeName")
        return node


def node_name(number: int) -> str:
    return f"mac-{number:04}"


def encoded(contestant: Contestant) -> str:
    return json.dumps(contestant.body())
