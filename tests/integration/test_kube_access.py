"""The access layer against a real kube-apiserver: what the scripted one only imitates."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from anka_kube.client import KubeClient
from anka_kube.config import load_endpoint
from anka_kube.errors import AlreadyExists, Conflict, Forbidden, Invalid, NotFound
from anka_kube.heartbeat import LeaseHeartbeat
from anka_kube.leader import LeaderElector
from anka_kube.lease import LEASES
from anka_kube.reflector import Reflector
from anka_kube.resource import Selection
from anka_kube.store import Store
from anka_kube.unstructured import Unstructured, raw_resource
from anka_kube.writer import Writer
from localkube.controlplane import KubernetesCluster

pytestmark = pytest.mark.integration

SECONDS = 60.0

CONFIG_MAPS = raw_resource("", "v1", "configmaps", "ConfigMap", namespaced=True)
NAMESPACES = raw_resource("", "v1", "namespaces", "Namespace", namespaced=False)
SERVICE_ACCOUNTS = raw_resource("", "v1", "serviceaccounts", "ServiceAccount", namespaced=True)


def elector(client: KubeClient, namespace: str, identity: str, **options: Any) -> LeaderElector:
    options |= {"lease_duration": 15.0, "renew_deadline": 10.0, "retry": 0.2}
    return LeaderElector(client, namespace, "leader", identity, **options)


@pytest.fixture
async def client(control_plane: KubernetesCluster) -> AsyncIterator[KubeClient]:
    endpoint = await asyncio.to_thread(load_endpoint, control_plane.kubeconfig, environ={})
    async with KubeClient(endpoint, user_agent="anka-test") as connected:
        yield connected


@pytest.fixture
async def namespace(client: KubeClient) -> AsyncIterator[str]:
    name = f"kube-access-{uuid.uuid4().hex[:8]}"
    await client.create(NAMESPACES, {"metadata": {"name": name}})
    yield name
    await client.delete(NAMESPACES, name)


def config_map(name: str, **data: str) -> dict[str, object]:
    return {"metadata": {"name": name, "labels": {"of": "test"}}, "data": data}


async def test_requests_and_refusals(client: KubeClient, namespace: str) -> None:
    created = await client.create(CONFIG_MAPS, config_map("a", x="1"), namespace)
    version = created.metadata.resource_version
    with pytest.raises(AlreadyExists, match='configmaps "a" already exists'):
        await client.create(CONFIG_MAPS, config_map("a"), namespace)
    with pytest.raises(Invalid, match=r"metadata\.name"):
        await client.create(CONFIG_MAPS, config_map("Not A Name"), namespace)
    with pytest.raises(NotFound):
        await client.get(CONFIG_MAPS, "absent", namespace)
    patched = await client.patch(CONFIG_MAPS, "a", {"data": {"x": None, "y": "2"}}, namespace, resource_version=version)
    assert patched.raw["data"] == {"y": "2"}
    with pytest.raises(Conflict):
        await client.patch(CONFIG_MAPS, "a", {"data": {"y": "3"}}, namespace, resource_version=version)
    with pytest.raises(Conflict):
        await client.delete(CONFIG_MAPS, "a", namespace, uid="11111111-1111-1111-1111-111111111111")
    assert await client.delete(CONFIG_MAPS, "a", namespace, uid=created.metadata.uid) is None


async def test_reflector_and_writer(client: KubeClient, namespace: str) -> None:
    for number in range(5):
        await client.create(CONFIG_MAPS, config_map(f"c{number}"), namespace)
    store = Store(CONFIG_MAPS)
    writer = Writer(client, CONFIG_MAPS, store)

    def has(wanted: Unstructured) -> bool:
        """At once; the watch may have delivered the same version since."""
        held = store.get(wanted.metadata.name, namespace)
        return held is not None and held.metadata.resource_version == wanted.metadata.resource_version

    async with Reflector(client, store, page_size=2, selection=Selection(namespace, "of=test")) as reflector:
        await asyncio.wait_for(reflector.synced.wait(), SECONDS)
        assert len(store) == 5
        await client.delete(CONFIG_MAPS, "c0", namespace)
        await client.create(CONFIG_MAPS, config_map("big", data="x" * 900_000), namespace)
        big = await store.wait_for(lambda s: None if s.get("c0", namespace) else s.get("big", namespace), SECONDS)
        written = await writer.patch(big, {"data": {"data": "y" * 900_000}}, guarded=True)
        assert has(written)
        with pytest.raises(Conflict):
            await writer.patch(big, {"data": {"data": "z"}}, guarded=True)
        released = await writer.patch(written, {"metadata": {"finalizers": ["example.com/hold"]}}, guarded=True)
        left = await writer.delete(released)
        assert left is not None
        assert has(left)
        await writer.patch(left, {"metadata": {"finalizers": None}}, guarded=True)
        assert store.get("big", namespace) is None
        await client.create(CONFIG_MAPS, config_map("after"), namespace)
        await store.wait_for(lambda s: s.get("after", namespace), SECONDS)
        assert store.get("big", namespace) is None
        assert reflector.connected
        assert reflector.last_event_age < SECONDS


async def test_leadership_passes_on_at_release(client: KubeClient, namespace: str) -> None:
    first = elector(client, namespace, "one")
    refused = asyncio.Event()

    async def nap(seconds: float) -> None:
        refused.set()
        await asyncio.sleep(seconds)

    second = elector(client, namespace, "two", sleep=nap)
    await first.acquire()
    waiting = asyncio.create_task(second.acquire())
    await asyncio.wait_for(refused.wait(), SECONDS)
    assert not waiting.done()
    assert first.is_leading
    await first.release()
    await asyncio.wait_for(waiting, SECONDS)
    assert second.is_leading
    assert (await client.get(LEASES, "leader", namespace)).holder == "two"
    await second.release()
    assert (await client.get(LEASES, "leader", namespace)).holder is None


async def test_heartbeat(client: KubeClient, namespace: str) -> None:
    owner = (await client.create(CONFIG_MAPS, config_map("node"), namespace)).metadata
    reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": owner.name, "uid": owner.uid}
    heartbeat = LeaseHeartbeat(
        client, namespace, "m1", "agent", duration_seconds=40, renew_seconds=10, owner_reference=reference
    )
    await heartbeat.beat()
    first = await client.get(LEASES, "m1", namespace)
    await heartbeat.beat()
    second = await client.get(LEASES, "m1", namespace)
    assert (second.holder, second.duration_seconds) == ("agent", 40)
    assert first.renew_time is not None
    assert second.renew_time is not None
    assert second.renew_time > first.renew_time
    assert second.metadata.owner_references[0]["uid"] == owner.uid


async def test_a_service_account_sees_what_it_may(
    client: KubeClient, namespace: str, control_plane: KubernetesCluster, tmp_path: Path
) -> None:
    await client.create(SERVICE_ACCOUNTS, {"metadata": {"name": "nobody"}}, namespace)
    path = await asyncio.to_thread(control_plane.kubeconfig_for, "nobody", namespace, tmp_path / "nobody")
    endpoint = await asyncio.to_thread(load_endpoint, path, environ={})
    assert endpoint.namespace == namespace
    async with KubeClient(endpoint) as nobody:
        with pytest.raises(Forbidden, match=f"system:serviceaccount:{namespace}:nobody.*cannot list"):
            await nobody.list(CONFIG_MAPS, namespace)
