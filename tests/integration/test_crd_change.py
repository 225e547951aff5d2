"""Kinds that change while agents work, as `helm upgrade` with new CRDs does it: the apiserver ends all streams."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pytest
import yaml

from anka_crds.api import AnkaInstance
from anka_crds.resources import INSTANCES
from anka_dev.cloud import LocalCloud
from anka_dev.repository import CRDS
from anka_kube import metrics
from anka_kube.client import KubeClient
from anka_kube.config import load_endpoint
from anka_kube.lease import LEASES
from anka_kube.pacing import TurnWindow
from anka_kube.reflector import Reflector
from anka_kube.resource import Selection
from anka_kube.store import Store
from support.agents import NAMESPACE, SECONDS, Bench

pytestmark = pytest.mark.integration

OF_AGENTS = ("ankainstances", "saveimages", "ankanodes", "templatedistributions")
WINDOW = 3.0
LEASE_SECONDS = 20
"""Half of what agents have."""
MANY = 60


def touch(cloud: LocalCloud, plural: str) -> None:
    """A new description is enough. It is applied as the kinds were: others apply them again on this control plane."""
    definition = yaml.safe_load((CRDS / f"{plural}.yaml").read_text())
    for version in definition["spec"]["versions"]:
        version["schema"]["openAPIV3Schema"]["description"] = f"touched at {datetime.now(UTC)}"
    cloud.kubectl.run("apply", "--server-side", "--filename=-", stdin=json.dumps(definition))


@pytest.fixture(autouse=True, scope="module")
def _kinds_as_they_were(agent_cloud: LocalCloud) -> Iterator[None]:
    yield
    agent_cloud.install()


def test_agents_go_on_and_lose_nothing(make_bench: Callable[..., Bench], agent_cloud: LocalCloud) -> None:
    benches = [make_bench("crd-one"), make_bench("crd-two")]
    vms: dict[str, Any] = {}
    for number, bench in enumerate(benches):
        for name in (f"stays-{number}", f"goes-{number}"):
            bench.create(name)
            vms[name] = bench.wait_phase(name, "Started")["status"]["vm"]
    before = [bench.get(f"stays-{number}") for number, bench in enumerate(benches)]
    for _ in range(3):
        for plural in OF_AGENTS:
            touch(agent_cloud, plural)
    for number, bench in enumerate(benches):
        bench.create(f"comes-{number}")
        bench.delete(f"goes-{number}", wait=False)
    for number, bench in enumerate(benches):
        bench.wait_phase(f"comes-{number}", "Started")
        bench.kubectl.run("wait", "--for=delete", f"ankainstance/goes-{number}", "--timeout=100s")
        assert bench.get(f"stays-{number}") == before[number], "nothing happened to it"
        running = {vm["uuid"] for vm in bench.vms() if vm["status"] == "running"}
        comes = bench.get(f"comes-{number}")["status"]["vm"]["uuid"]
        assert running == {vms[f"stays-{number}"]["uuid"], comes}
        bench.mac.agent.wait_ready()  # type: ignore[union-attr]
        bench.clear()


async def test_many_watches_come_back_one_after_the_other(agent_cloud: LocalCloud) -> None:
    """Each with one request, in its turn; heartbeats go on meanwhile."""
    endpoint = await asyncio.to_thread(load_endpoint, agent_cloud.cluster.kubeconfig, environ={})
    asked: list[float] = []
    clock = asyncio.get_running_loop().time
    async with AsyncExitStack() as running:
        client = await running.enter_async_context(KubeClient(endpoint))
        for number in range(MANY):
            await client.create(INSTANCES, {"metadata": {"name": f"m{number}"}, "spec": {"template": "t"}}, NAMESPACE)
            status = {"status": {"nodeName": f"many-{number}"}}
            await client.patch(INSTANCES, f"m{number}", status, NAMESPACE, subresource="status")
        lists = metrics.REQUESTS.labels("list", INSTANCES.label, "200")
        before = lists._value.get()
        stores: list[Store[AnkaInstance]] = []
        reflectors = []

        async def turn(seconds: float) -> None:
            # The moment that was chosen: when a busy machine comes to it is another question.
            asked.append(clock() + seconds)
            await asyncio.sleep(seconds)

        for number in range(MANY):
            store: Store[AnkaInstance] = Store(INSTANCES)
            selector, spread = f"status.nodeName=many-{number}", TurnWindow(lambda: WINDOW, prompt=True)
            one = Reflector(client, store, selection=Selection(field_selector=selector), spread=spread, sleep=turn)
            reflectors.append(await running.enter_async_context(one))
            stores.append(store)
        await asyncio.gather(*(one.synced.wait() for one in reflectors))
        assert [len(store) for store in stores] == [1] * MANY
        touched = clock()
        await asyncio.to_thread(touch, agent_cloud, "ankainstances")
        lease = {
            "metadata": {"name": "crd-change"},
            "spec": {"holderIdentity": "x", "leaseDurationSeconds": LEASE_SECONDS},
        }
        await client.create(LEASES, lease, NAMESPACE)
        beats = [clock()]
        while beats[-1] < touched + WINDOW + 2 or (len(asked) < MANY * 0.9 and beats[-1] < touched + SECONDS):
            await asyncio.sleep(0.2)
            spec = {"spec": {"leaseTransitions": len(beats)}}
            await client.patch(LEASES, "crd-change", spec, NAMESPACE, retry=False, deadline=LEASE_SECONDS)
            beats.append(clock())
        assert max(later - sooner for sooner, later in pairwise(beats)) < LEASE_SECONDS
        for number in range(MANY):
            await client.patch(INSTANCES, f"m{number}", {"spec": {"priority": 7}}, NAMESPACE)
        for store in stores:
            await store.wait_for(lambda seen: all(one.spec.priority == 7 for one in seen), SECONDS)
        assert [len(store) for store in stores] == [1] * MANY
        assert lists._value.get() == before, "a stream that begins with all objects stands for a list"
        assert len(asked) >= MANY * 0.9, "nearly all had to begin anew"
        for number in range(MANY):
            await client.delete(INSTANCES, f"m{number}", NAMESPACE)
            await client.patch(INSTANCES, f"m{number}", {"metadata": {"finalizers": None}}, NAMESPACE)
    turns = sorted(moment - touched for moment in asked)
    most = max(sum(moment <= other < moment + 0.5 for other in turns) for moment in turns)
    assert most <= MANY * 0.45, f"half a second of {WINDOW} had {most} of {MANY}: {turns}"
