"""Operators as real processes on a control plane of their own; the test plays people and agents."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from anka_crds.api import AnkaInstance, AnkaNode
from anka_crds.api.meta import FINALIZER
from anka_crds.resources import GROUPS, INSTANCES, NODES, TEMPLATES
from anka_crds.rules.condition_list import find
from anka_dev.cloud import LocalCloud
from anka_dev.cloud.service import Service
from anka_kube.client import KubeClient
from anka_kube.config import load_endpoint
from anka_kube.errors import NotFound
from anka_kube.lease import LEASES, micro_time
from anka_kube.reflector import Reflector
from anka_kube.resource import Resource
from anka_kube.store import Store
from support.cluster import start_installed

TEMPLATE = "6b135004-0c89-43bb-b892-74796b8d266c"
NAMESPACE = "default"
LEASE_SECONDS = 30
"""A node that is meant to live is not lost because a busy machine renews its Lease late; see `Fleet.fall_silent`."""
LOST_SECONDS = 3
SECONDS = 60.0
"""Patience with what others do: it costs nothing where things go well, and a busy machine needs it."""
OPERATOR_FLAGS = (
    "--leader-lease-seconds=7",
    "--leader-renew-seconds=5",
    "--leader-retry-seconds=1",
    f"--node-lost-seconds={LOST_SECONDS}",
    f"--heartbeat-seconds={LEASE_SECONDS}",
)

Spec = dict[str, Any]


class Fleet:
    """What people and agents do, against one API."""

    def __init__(self, client: KubeClient) -> None:
        self.client = client
        self.instances: Store[AnkaInstance] = Store(INSTANCES)
        self.alive: set[str] = set()
        self._beating = asyncio.Lock()

    # People

    async def instance(self, name: str, *, finalizers: list[str] | None = None, **spec: Any) -> AnkaInstance:
        body = {
            "metadata": {"name": name, **({"finalizers": finalizers} if finalizers else {})},
            "spec": {"template": TEMPLATE, **spec},
        }
        return await self.client.create(INSTANCES, body, NAMESPACE)

    async def burst(self, prefix: str, count: int, **spec: Any) -> list[str]:
        names = [f"{prefix}-{number}" for number in range(count)]
        gate = asyncio.Semaphore(16)

        async def one(name: str) -> None:
            async with gate:
                await self.instance(name, **spec)

        await asyncio.gather(*(one(name) for name in names))
        return names

    async def template(self, uuid: str = TEMPLATE, name: str = "macos-15", tags: tuple[str, ...] = ("v1",)) -> None:
        await self.client.create(TEMPLATES, {"metadata": {"name": uuid}, "spec": {}})
        versions = [{"number": number, "tag": tag, "arch": "arm64"} for number, tag in enumerate(tags)]
        await self.client.patch(TEMPLATES, uuid, {"status": {"name": name, "versions": versions}}, subresource="status")

    async def group(self, name: str, **spec: Any) -> None:
        await self.client.create(GROUPS, {"metadata": {"name": name}, "spec": spec})

    # Agents

    async def node(
        self, name: str, slots: int = 2, *, holds: tuple[str, ...] = (), arch: str = "arm64", **spec: Any
    ) -> AnkaNode:
        """A Mac that has joined and beats until `alive` no longer has it."""
        created = await self.client.create(NODES, {"metadata": {"name": name}, "spec": {"maxVmCount": slots, **spec}})
        status: Spec = {"hostArch": arch, "cpuCount": 8}
        if holds:
            status["templates"] = [{"uuid": TEMPLATE, "name": "macos-15", "tag": tag} for tag in holds]
        await self.client.patch(NODES, name, {"status": status}, subresource="status")
        owner = {"apiVersion": NODES.api_version, "kind": "AnkaNode", "name": name, "uid": created.metadata.uid}
        await self.client.create(
            LEASES,
            {
                "metadata": {"name": name, "ownerReferences": [owner]},
                "spec": {
                    "holderIdentity": name,
                    "leaseDurationSeconds": LEASE_SECONDS,
                    "renewTime": micro_time(datetime.now(UTC)),
                },
            },
            "anka-nodes",
        )
        self.alive.add(name)
        return created

    async def beat(self) -> None:
        """Renew the Leases of all that are alive, until cancelled."""
        while True:
            for name in tuple(self.alive):
                async with self._beating:
                    if name in self.alive:
                        spec = {"renewTime": micro_time(datetime.now(UTC)), "leaseDurationSeconds": LEASE_SECONDS}
                        await self._renew(name, spec)
            await asyncio.sleep(0.7)

    async def fall_silent(self, *names: str) -> None:
        """These beat no more, and nobody waits long for them: until they are `alive` again."""
        self.alive -= set(names)
        async with self._beating:  # a beat that has begun comes before this
            for name in names:
                await self._renew(name, {"leaseDurationSeconds": 1})

    async def _renew(self, name: str, spec: Spec) -> None:
        with suppress(NotFound):
            await self.client.patch(LEASES, name, {"spec": spec}, "anka-nodes")

    async def start_vm(self, name: str) -> None:
        """What the agent reports once the VM runs."""
        vm = {"uuid": f"vm-{name}", "name": f"vm-{name}", "status": "running"}
        await self.client.patch(
            INSTANCES, name, {"status": {"phase": "Started", "vm": vm}}, NAMESPACE, subresource="status"
        )

    async def release(self, name: str) -> None:
        """What the agent does once the VM is gone."""
        await self.client.patch(INSTANCES, name, {"metadata": {"finalizers": None}}, NAMESPACE)

    # What is seen

    async def see(
        self, resource: Resource[Any], name: str, true: Callable[[Any], Any], namespace: str | None = None,
        seconds: float = SECONDS,
    ) -> Any:  # fmt: skip
        """The object once `true` holds for it. TimeoutError with what it is instead."""
        deadline = time.monotonic() + seconds
        obj: Any = None
        while True:
            with suppress(NotFound):
                obj = await self.client.get(resource, name, namespace)
                if true(obj):
                    return obj
            if time.monotonic() > deadline:
                raise TimeoutError(f"{resource.kind} {name}: {obj!r}")
            await asyncio.sleep(0.05)

    async def bound(self, name: str, seconds: float = SECONDS) -> AnkaInstance:
        found: AnkaInstance = await self.see(
            INSTANCES, name, lambda instance: instance.status.node_name, NAMESPACE, seconds
        )
        return found

    async def gone(self, name: str, seconds: float = SECONDS) -> None:
        await self.instances.wait_for(lambda store: store.get(name, NAMESPACE) is None, seconds)

    async def all_bound(self, count: int, seconds: float = SECONDS) -> list[AnkaInstance]:
        await self.instances.wait_for(
            lambda store: len(store) == count and all(one.status.node_name for one in store), seconds
        )
        return list(self.instances.list())

    async def told(
        self, name: str, type_: str, reason: str, message: str, namespace: str | None = NAMESPACE
    ) -> AnkaInstance:
        """The instance once its condition of this type says so."""

        def says(one: AnkaInstance) -> bool:
            found = find(one.status.conditions, type_)
            return found is not None and (found.reason, found.message) == (reason, message)

        seen: AnkaInstance = await self.see(INSTANCES, name, says, namespace)
        return seen

    async def placed(self, **wanted: int) -> None:
        """Return once so many instances are on each of these nodes, `waiting` of them on none, and no others."""
        waiting = wanted.pop("waiting", 0)
        expected: Counter[str | None] = Counter({name.replace("_", "-"): count for name, count in wanted.items()})
        expected[None] = waiting
        await self.instances.wait_for(
            lambda store: Counter(one.status.node_name for one in store) == +expected, SECONDS
        )

    async def clear(self) -> None:
        for instance in (await self.client.list(INSTANCES)).items:
            with suppress(NotFound):
                await self.client.delete(INSTANCES, instance.metadata.name, instance.metadata.namespace)
                if FINALIZER in instance.metadata.finalizers:
                    await self.release(instance.metadata.name)
        others: tuple[Resource[Any], ...] = (NODES, TEMPLATES, GROUPS)
        for resource in others:
            for obj in (await self.client.list(resource)).items:
                with suppress(NotFound):
                    await self.client.delete(resource, obj.metadata.name)
        self.alive.clear()
        for lease in (await self.client.list(LEASES, "anka-nodes")).items:
            with suppress(NotFound):
                await self.client.delete(LEASES, lease.metadata.name, "anka-nodes")
        await self.instances.wait_for(lambda store: len(store) == 0, SECONDS)


async def until(true: Callable[[], Awaitable[Any]], what: str) -> Any:
    """The first true answer; for what `Fleet.see` cannot see."""
    deadline = time.monotonic() + SECONDS
    while not (found := await true()):
        assert time.monotonic() < deadline, f"not within {SECONDS:g} s: {what}"
        await asyncio.sleep(0.05)
    return found


async def find_leader(fleet: Fleet, pair: list[Service]) -> tuple[Service, Service]:
    """The one that leads, and the one that stands by: who is ready may not lead yet."""
    names = {service.name for service in pair}
    held = await fleet.see(LEASES, "anka-operator", lambda lease: lease.holder in names, "anka-system")
    leader, standby = sorted(pair, key=lambda service: service.name != held.holder)
    return leader, standby


@pytest.fixture(scope="module")
def operator_cloud(tmp_path_factory: pytest.TempPathFactory, installed_data: Path | None) -> Iterator[LocalCloud]:
    """A control plane with kinds, policies and roles, where no process of ours runs yet."""
    directory = tmp_path_factory.mktemp("operator")
    plane = start_installed(directory / "control-plane", installed_data)
    with plane, LocalCloud(plane, directory) as cloud:
        yield cloud


@pytest.fixture(scope="module")
def operator(operator_cloud: LocalCloud) -> Service:
    """One operator that leads."""
    service = operator_cloud.start_operator(*OPERATOR_FLAGS)
    return service.wait_ready()


@pytest.fixture
async def fleet(operator_cloud: LocalCloud) -> AsyncIterator[Fleet]:
    endpoint = await asyncio.to_thread(load_endpoint, operator_cloud.cluster.kubeconfig, environ={})
    async with KubeClient(endpoint, user_agent="anka-test") as client:
        fleet = Fleet(client)
        async with Reflector(client, fleet.instances) as reflector:
            await reflector.synced.wait()
            beating = asyncio.create_task(fleet.beat())
            await fleet.template()
            yield fleet
            await fleet.clear()
            beating.cancel()
