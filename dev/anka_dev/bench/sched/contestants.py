"""Two schedulers with the same task: our operator on AnkaInstances, kube-scheduler on Pods."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from anka_crds.api.defaults import CI_NAMESPACE, NODE_NAMESPACE
from anka_crds.resources import INSTANCES, NODES
from anka_dev.bench import cluster_objects as world
from anka_dev.bench import pods
from anka_dev.bench.bench import OPERATOR_FLAGS, Bench
from anka_dev.bench.load.plan import NAME
from anka_dev.bench.population import mac_name
from anka_dev.cloud import LocalCloud
from anka_dev.local_kubernetes import environment
from anka_kube.client import KubeClient
from anka_kube.lease import LEASES, micro_time
from anka_kube.resource import Resource
from localkube.controlplane.process import Component
from localkube.controlplane.readiness import exit_error
from localkube.controlplane.scheduler import start_kube_scheduler
from localkube.programs import versions

Json = dict[str, Any]
# Longer than any run: the heartbeats of nodes without a Mac are never renewed.
_LEASE_SECONDS = 7200


class Contestant(ABC):
    """One of them. `prepare` once, then `start` and `stop` for each run."""

    name: str
    resource: Resource[Any]
    namespace: str

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
        """The scheduler's process id, while it runs."""

    @abstractmethod
    def body(self) -> Json:
        """The object to create; its name is a placeholder."""

    @abstractmethod
    def node_of(self, raw: Json) -> str | None:
        """The node of the object."""


class Ours(Contestant):
    name = "anka"
    resource = INSTANCES
    namespace = CI_NAMESPACE

    def __init__(self, cloud: LocalCloud) -> None:
        self._cloud = cloud

    async def prepare(self, client: KubeClient, nodes: int, slots: int) -> None:
        await world.make_template(client)

        async def one(number: int) -> None:
            name = mac_name(number)
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
    resource = pods.PODS
    namespace = pods.NAMESPACE

    def __init__(self, bench: Bench, directory: Path) -> None:
        self._bench = bench
        self._kubeconfig = world.admin_kubeconfig(bench.cluster, directory)
        self._directory = directory
        self._process: Component | None = None

    async def prepare(self, client: KubeClient, nodes: int, slots: int) -> None:
        await pods.make_nodes(client, nodes, slots, ready=True)

    def start(self) -> None:
        self._process = start_kube_scheduler(self._kubeconfig, self._directory, environment(), self._bench.say)

    def stop(self) -> None:
        if self._process is not None:
            self._process.stop()
            self._process = None

    def check(self) -> None:
        if self._process is not None and not self._process.running:
            raise exit_error(self._process)

    def pids(self) -> Mapping[str, int]:
        return {} if self._process is None else {versions.SCHEDULER: self._process.pid}

    def body(self) -> Json:
        return pods.manifest()

    def node_of(self, raw: Json) -> str | None:
        return pods.node_of(raw)


def encode_contestant(contestant: Contestant) -> str:
    return json.dumps(contestant.body())
