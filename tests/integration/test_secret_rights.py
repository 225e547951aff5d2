"""Who may read the Secret that an instance names: its node's agent while it starts. With real tokens of all."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress

import pytest

from anka_crds.api import AnkaInstance
from anka_crds.api.meta import FINALIZER
from anka_crds.resources import INSTANCES
from anka_dev.cloud import LocalCloud
from anka_dev.cloud.install import ensure_node_account
from anka_dev.cloud.service import Service
from anka_kube.client import KubeClient
from anka_kube.config import load_endpoint
from anka_kube.errors import Forbidden, NotFound
from anka_kube.unstructured import ROLE_BINDINGS, ROLES, raw_resource
from anka_operator.secret_grants.desired import SELECTOR
from support.operators import SECONDS, TEMPLATE, Fleet

pytestmark = pytest.mark.integration

SECRETS = raw_resource("", "v1", "secrets", "Secret", namespaced=True)
OPEN, CLOSED = "anka-ci", "default"
"""Namespaces where the operator may hand out Secrets, and where not."""
MACS = ("mac-1", "mac-2")
SCRIPT = {"secretRef": {"name": "scripts", "key": "setup"}}
PASSWORD = {"name": "vnc", "key": "password"}


class Readers:
    """The agents, trying to read."""

    def __init__(self, fleet: Fleet, agents: dict[str, KubeClient]) -> None:
        self.fleet = fleet
        self.agents = agents

    async def of(self, secret: str, namespace: str = OPEN) -> set[str]:
        found = set()
        for name, agent in self.agents.items():
            with suppress(Forbidden):
                await agent.get(SECRETS, secret, namespace)
                found.add(name)
        return found

    async def become(
        self, wanted: set[str], secret: str = "scripts", namespace: str = OPEN, *, seconds: float = SECONDS
    ) -> None:
        deadline = time.monotonic() + seconds
        while (found := await self.of(secret, namespace)) != wanted:
            assert time.monotonic() < deadline, f"{secret} is readable for {found}"
            await asyncio.sleep(0.05)

    async def rights(self, namespace: str = OPEN) -> list[str]:
        listed = [await self.fleet.client.list(kind, namespace) for kind in (ROLES, ROLE_BINDINGS)]
        return [one.metadata.name for kind in listed for one in kind.items if one.metadata.name[:13] == "anka-secrets-"]

    async def no_rights(self, namespace: str = OPEN, *, seconds: float = SECONDS) -> None:
        """A right ends with the first of its two objects; the other one follows."""
        deadline = time.monotonic() + seconds
        while left := await self.rights(namespace):
            assert time.monotonic() < deadline, f"left: {left}"
            await asyncio.sleep(0.05)

    async def create(self, name: str, namespace: str = OPEN) -> AnkaInstance:
        spec = {"template": TEMPLATE, "startupScript": SCRIPT, "vncPasswordSecretRef": PASSWORD}
        await self.fleet.client.create(INSTANCES, {"metadata": {"name": name}, "spec": spec}, namespace)
        found: AnkaInstance = await self.fleet.see(INSTANCES, name, lambda one: one.status.node_name, namespace)
        return found

    async def status(self, name: str, namespace: str = OPEN, **status: object) -> None:
        await self.fleet.client.patch(INSTANCES, name, {"status": status}, namespace, subresource="status")

    async def remove(self, name: str, namespace: str = OPEN) -> None:
        with suppress(NotFound):
            await self.fleet.client.delete(INSTANCES, name, namespace)
            await self.fleet.client.patch(INSTANCES, name, {"metadata": {"finalizers": None}}, namespace)


@pytest.fixture
async def readers(fleet: Fleet, operator_cloud: LocalCloud, operator: Service) -> AsyncIterator[Readers]:
    cluster = operator_cloud.cluster
    async with AsyncExitStack() as stack:
        agents = {}
        for mac in MACS:
            account, file = ensure_node_account(cluster, mac), operator_cloud.directory / f"reader-{mac}.kubeconfig"
            config = cluster.kubeconfig_for(account, "anka-nodes", file)
            agents[mac] = await stack.enter_async_context(KubeClient(load_endpoint(config, environ={})))
        for namespace in (OPEN, CLOSED):
            for name in ("scripts", "vnc", "others"):
                with suppress(NotFound):
                    await fleet.client.delete(SECRETS, name, namespace)
                await fleet.client.create(SECRETS, {"metadata": {"name": name}}, namespace)
        readers = Readers(fleet, agents)
        await readers.no_rights()  # of the test before
        yield readers


async def test_from_its_bind_to_its_start_and_no_longer(fleet: Fleet, readers: Readers) -> None:
    await fleet.node("mac-1", holds=("v1",))
    assert await readers.of("scripts") == set()
    one = await readers.create("one")
    # The right is older than the bind: who sees the bind is not refused.
    granted = (await fleet.client.list(ROLE_BINDINGS, OPEN, label_selector=SELECTOR)).items
    versions = [int(binding.metadata.resource_version or 0) for binding in granted]
    assert len(versions) == 1
    assert versions[0] < int(one.metadata.resource_version or 0)
    await readers.become({"mac-1"})
    await readers.become({"mac-1"}, "vnc")
    assert await readers.of("others") == set()
    with pytest.raises(Forbidden):
        await readers.agents["mac-1"].list(SECRETS, OPEN)
    await readers.status("one", phase="Started")
    await readers.become(set())
    await readers.become(set(), "vnc")
    # Started once more: its password again, its script not.
    await fleet.client.patch(INSTANCES, "one", {"spec": {"restartedAt": "2030-01-01T00:00:00Z"}}, OPEN)
    await readers.become({"mac-1"}, "vnc")
    assert await readers.of("scripts") == set()
    await readers.status("one", restartedAt="2030-01-01T00:00:00Z")
    await readers.become(set(), "vnc")
    await readers.no_rights()
    await readers.remove("one")


async def test_an_instance_that_moves_takes_the_right_with_it(fleet: Fleet, readers: Readers) -> None:
    await fleet.node("mac-1", holds=("v1",))
    await readers.create("moves")
    await readers.become({"mac-1"})
    await fleet.client.patch(INSTANCES, "moves", {"spec": {"nodeLostPolicy": "Reschedule"}}, OPEN)
    await fleet.node("mac-2", holds=("v1",))
    await fleet.fall_silent("mac-1")
    await fleet.see(INSTANCES, "moves", lambda one: one.status.node_name == "mac-2", OPEN)
    await readers.become({"mac-2"})
    await readers.remove("moves")
    await readers.become(set())


@pytest.mark.parametrize("end", ["Error", "deleted"])
async def test_none_after_the_end(fleet: Fleet, readers: Readers, end: str) -> None:
    await fleet.node("mac-1", holds=("v1",))
    await readers.create("ends")
    await readers.become({"mac-1"})
    if end == "deleted":
        await fleet.client.delete(INSTANCES, "ends", OPEN)  # it stays until its agent has removed the VM
        assert FINALIZER in (await fleet.client.get(INSTANCES, "ends", OPEN)).metadata.finalizers
    else:
        await readers.status("ends", phase="Error", message="broken")
    await readers.become(set())
    await readers.no_rights()
    await readers.remove("ends")


async def test_nowhere_but_where_the_operator_may(
    fleet: Fleet, readers: Readers, operator: Service, operator_cloud: LocalCloud
) -> None:
    """Where it may not, that harms nobody else; an administrator may allow it later."""
    await fleet.node("mac-1", holds=("v1",))
    await readers.create("here", CLOSED)
    await readers.create("there", OPEN)
    await readers.become({"mac-1"})
    assert await readers.of("scripts", CLOSED) == set()
    assert await readers.rights(CLOSED) == []
    kubectl = operator_cloud.cluster.kubectl
    for kind in ("role", "rolebinding"):
        found = json.loads(kubectl.run("get", kind, "anka-secrets", f"--namespace={OPEN}", "--output=json"))
        found["metadata"] = {"name": "anka-secrets", "namespace": CLOSED}
        kubectl.run("apply", "--filename=-", stdin=json.dumps(found))
    await readers.become({"mac-1"}, namespace=CLOSED, seconds=2 * SECONDS)
    assert operator.running
    for name, namespace in (("here", CLOSED), ("there", OPEN)):
        await readers.remove(name, namespace)
    await readers.become(set(), namespace=CLOSED)
    kubectl.run("delete", "role,rolebinding", "anka-secrets", f"--namespace={CLOSED}")
