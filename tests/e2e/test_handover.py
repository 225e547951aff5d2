"""The leading operator is killed, ended or frozen in the middle of a burst: nothing is lost, nothing done twice."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from anka_crds.api import AnkaInstance, Phase
from anka_crds.api.defaults import VM_PREFIX
from anka_dev.cloud import LocalCloud
from anka_dev.cloud.service import Service
from anka_kube.client import KubeClient
from anka_kube.config import load_endpoint
from anka_kube.reflector import Reflector
from anka_kube.store import EventType
from support.cloud import FAST_MAC
from support.cluster import audit_events
from support.operators import Fleet

pytestmark = pytest.mark.e2e

MACS = 4
SLOTS = 20
LIVES = MACS * SLOTS
"""Exactly as many as there is room for: one bind too many on a Mac, and another has one too few."""
READS = {"get", "list", "watch"}


@pytest.fixture(scope="module")
def pair(make_cloud: Callable[[], LocalCloud]) -> LocalCloud:
    """Two operators, and Macs with many places."""
    cloud = make_cloud()
    for _ in range(2):
        cloud.start_operator()
    for number in range(MACS):
        config = {**FAST_MAC, "max_running": SLOTS, "ram_bytes": 512 << 30}
        cloud.add_mac(f"mac-{number}", f"--max-vm-count={SLOTS}", "--heartbeat=5", "--lease-duration=60", **config)
    cloud.wait_ready(120)
    return cloud


@pytest.fixture
def both(pair: LocalCloud) -> Iterator[LocalCloud]:
    """Both operators run and are ready."""
    for service in pair.operators:
        if not service.running:
            service.restart()
        service.wait_ready()
    yield pair
    for service in pair.operators:
        if service.running:
            os.kill(service.pid, signal.SIGCONT)


@pytest.fixture
async def people(both: LocalCloud) -> AsyncIterator[Fleet]:
    endpoint = await asyncio.to_thread(load_endpoint, both.cluster.kubeconfig, environ={})
    async with KubeClient(endpoint, user_agent="anka-test") as client:
        fleet = Fleet(client)
        async with Reflector(client, fleet.instances) as reflector:
            await reflector.synced.wait()
            yield fleet
            for instance in fleet.instances.list():
                await client.delete(reflector.resource, instance.metadata.name, instance.metadata.namespace)
            await fleet.instances.wait_for(lambda store: len(store) == 0, 120)


def leader_and_standby(cloud: LocalCloud) -> tuple[Service, Service]:
    leader, standby = sorted(cloud.operators, key=lambda service: service.name != holder(cloud))
    return leader, standby


def holder(cloud: LocalCloud) -> str:
    """`start_operator` makes the service's name the identity of the process."""
    lease = cloud.kubectl.run("get", "lease", "anka-operator", "--namespace=anka-system", "--output=json")
    return str(json.loads(lease)["spec"]["holderIdentity"])


def writes(cloud: LocalCloud) -> list[dict[str, Any]]:
    """What operators wrote to instances, and the API took."""
    events = audit_events(cloud.cluster)
    return [
        event
        for event in events
        if event["userAgent"].startswith("anka-operator")
        and event["objectRef"]["resource"] == "ankainstances"
        and event["verb"] not in READS
        and event["responseStatus"]["code"] == 200
    ]


def received(event: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(event["requestReceivedTimestamp"])


async def burst(cloud: LocalCloud, people: Fleet, prefix: str, strike: Callable[[Service], None]) -> Service:
    """`strike` hits the leader when a quarter is bound. Returns it, once every instance of the burst runs.

    Half of them is created only then: however fast the leader is, the standby has its part in the burst."""
    assert cloud.registry is not None
    leader, standby = await asyncio.to_thread(leader_and_standby, cloud)
    requests = request_ids(people)
    template = cloud.registry.templates[0]
    early = asyncio.create_task(people.burst(f"{prefix}-early", LIVES // 2, template=template))
    await people.instances.wait_for(lambda _: bound(people) >= LIVES // 4, 60)
    await asyncio.to_thread(strike, leader)
    struck = datetime.now(UTC)
    before = bound(people)
    names = [*await people.burst(f"{prefix}-late", LIVES - LIVES // 2, template=template), *await early]
    await people.instances.wait_for(lambda _: bound(people) == LIVES, 120)
    await people.instances.wait_for(lambda store: all(one.status.phase is Phase.STARTED for one in store), 240)

    mine = [event for event in writes(cloud) if event["objectRef"]["name"].startswith(f"{prefix}-")]
    after = [received(event) for event in mine if standby.name in event["userAgent"]]
    print(f"{prefix}: {before} of {LIVES} were bound; {(min(after) - struck).total_seconds():.2f} s to the next bind")
    assert {name: len(ids) for name, ids in requests.items()} == dict.fromkeys(names, 1)
    # With room for all, the operator's only write to an instance is its bind.
    taken = Counter(event["objectRef"]["name"] for event in mine)
    assert max(taken.values()) == 1
    # Both had their part in it, so it was the middle of the burst.
    assert 0 < len(after) < LIVES
    return leader


def request_ids(people: Fleet) -> dict[str, set[str]]:
    """Collects, from now on, the start requests that each instance ever had: every bind makes one of its own."""
    seen: dict[str, set[str]] = {}

    def note(_: EventType, __: AnkaInstance | None, new: AnkaInstance | None) -> None:
        if new is not None and new.status.request_id is not None:
            seen.setdefault(new.metadata.name, set()).add(new.status.request_id)

    people.instances.subscribe(note)
    return seen


def bound(people: Fleet) -> int:
    return sum(1 for instance in people.instances if instance.status.node_name)


def assert_none_lost_none_doubled(cloud: LocalCloud, people: Fleet) -> None:
    assert Counter(one.status.node_name for one in people.instances) == dict.fromkeys(cloud.macs, SLOTS)
    uuids = {one.status.vm.uuid for one in people.instances if one.status.vm is not None}
    assert len(uuids) == LIVES
    assert len(cloud.vm_names()) == LIVES
    # A VM's name holds its instance's token.
    clones = Counter(
        next(word for word in entry["argv"] if word.startswith(VM_PREFIX))
        for mac in cloud.macs.values()
        for entry in mac.commands()
        if "clone" in entry["argv"] and entry["code"] == 0
    )
    assert [name for name, count in clones.items() if count > 1] == []


def end(service: Service) -> None:
    """As a cluster does it; returns once it has ended."""
    os.kill(service.pid, signal.SIGTERM)
    deadline = time.monotonic() + 60
    while service.running:
        assert time.monotonic() < deadline, f"{service.name} goes on"
        time.sleep(0.05)


def stands_by(service: Service) -> None:
    """It has noticed that another leads, and waits for its turn: no supervisor has to start it again."""
    deadline = time.monotonic() + 60
    while "leadership is lost: standing by" not in service.log.read_text():
        assert time.monotonic() < deadline, f"{service.name} does not stand by"
        time.sleep(0.05)
    assert service.running


async def test_killed(both: LocalCloud, people: Fleet) -> None:
    await burst(both, people, "killed", Service.kill)
    assert_none_lost_none_doubled(both, people)


async def test_ended(both: LocalCloud, people: Fleet) -> None:
    leader = await burst(both, people, "ended", end)
    assert_none_lost_none_doubled(both, people)
    assert leader.exit_code == 0


async def test_frozen_until_another_leads(both: LocalCloud, people: Fleet) -> None:
    """What it knew when it froze is long over when it wakes up: it must not act on it."""
    leader = await burst(both, people, "frozen", lambda service: os.kill(service.pid, signal.SIGSTOP))
    woken = datetime.now(UTC)
    os.kill(leader.pid, signal.SIGCONT)
    await asyncio.to_thread(stands_by, leader)
    assert [event for event in writes(both) if leader.name in event["userAgent"] and received(event) > woken] == []
    assert_none_lost_none_doubled(both, people)
