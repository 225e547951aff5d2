"""The event log through a bad sink and the death of the leader: nothing is missing, repeats are known as such."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from anka_crds.api import NodeState, Phase
from anka_crds.api.meta import FINALIZER
from anka_crds.resources import INSTANCES, NODES
from anka_dev.cloud import LocalCloud
from anka_dev.cloud.macs import RegistryHost
from anka_dev.cloud.service import Service
from localkube.free_ports import free_port
from support.operators import NAMESPACE, OPERATOR_FLAGS, Fleet, find_leader

pytestmark = pytest.mark.integration

LIVES = 100
PASSWORD = "vnc-Mq4-password"
PATIENCE_SECONDS = 120.0
Json = dict[str, Any]


class Endpoint:
    """Takes events, or not: `code` 0 means that it does not answer."""

    def __init__(self) -> None:
        self.port = free_port()
        self.code = 200
        self.asked: list[tuple[int, Json]] = []
        self.bodies: list[str] = []
        self._changed = asyncio.Event()
        self._runner: web.AppRunner | None = None

    @property
    def taken(self) -> list[Json]:
        return [event for code, event in self.asked if code == 200]

    async def start(self) -> None:
        app = web.Application()
        app.router.add_post("/events", self._handle)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def until(self, true: Callable[[], Any]) -> None:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not true():
                self._changed.clear()
                await self._changed.wait()

    async def _handle(self, request: web.Request) -> web.Response:
        assert request.headers["Authorization"] == "Bearer of-the-test"
        code, body = self.code, await request.text()
        self.bodies.append(body)
        self.asked.append((code, json.loads(body)))
        self._changed.set()
        if code == 0:
            await asyncio.Event().wait()
        return web.Response(status=code)


@pytest.fixture
async def endpoint() -> AsyncIterator[Endpoint]:
    found = Endpoint()
    await found.start()
    yield found
    await found.stop()


@pytest.fixture(scope="module")
def registry(operator_cloud: LocalCloud) -> RegistryHost:
    return operator_cloud.start_registry()


@pytest.fixture
def pair(
    operator_cloud: LocalCloud, endpoint: Endpoint, registry: RegistryHost, tmp_path: Path
) -> Iterator[list[Service]]:
    headers = tmp_path / "headers"
    headers.write_text("Authorization: Bearer of-the-test\n")
    flags = (
        *OPERATOR_FLAGS, "--registry-seconds=0.5", "--enable-event-log",
        f"--event-log-url=http://127.0.0.1:{endpoint.port}/events", f"--event-log-headers-file={headers}",
    )  # fmt: skip
    services = [operator_cloud.start_operator(*flags) for _ in range(2)]
    for service in services:
        service.wait_ready()
    yield services
    for service in services:
        service.stop()
        operator_cloud.operators.remove(service)


async def live(fleet: Fleet, name: str, template: str, *, fails: bool) -> None:
    """One instance from its creation to its end, as people and an agent make it."""
    await fleet.instance(name, template=template, finalizers=[FINALIZER], vncPassword=PASSWORD)
    await fleet.instances.wait_for(
        lambda store: (seen := store.get(name, NAMESPACE)) is not None and seen.status.node_name,
        PATIENCE_SECONDS,
        key=(NAMESPACE, name),
    )
    if fails:
        status = {"phase": Phase.ERROR.value, "message": "no disk"}
        await fleet.client.patch(INSTANCES, name, {"status": status}, NAMESPACE, subresource="status")
    else:
        await fleet.start_vm(name)
    await fleet.client.delete(INSTANCES, name, NAMESPACE)
    await fleet.release(name)
    await fleet.gone(name, PATIENCE_SECONDS)


def by_object(events: list[Json], key: str) -> dict[str, list[Json]]:
    found: dict[str, list[Json]] = defaultdict(list)
    for event in events:
        if key in event:
            found[event[key]].append(event)
    return found


def without_repeats(events: list[Json]) -> list[Json]:
    """The first of those with the same id."""
    found: dict[str, Json] = {}
    for event in events:
        found.setdefault(event["event_id"], event)
    return list(found.values())


def check_lives(events: list[Json]) -> None:
    """Each life whole, in order, and what is repeated has the id that it had."""
    lives = by_object(events, "instance_id")
    assert len(lives) == LIVES
    for life in lives.values():
        assert len({event["event_id"] for event in life}) == 4, life
        start, outcome, end, gone = without_repeats(life)
        assert (start["name"], end["name"], gone["name"]) == ("StartVM", "TerminateVM", "VMTerminated"), life
        assert outcome["name"] in ("VMStarted", "VMFailedToStart")
        times = [event["time"] for event in (start, outcome, end, gone)]
        assert times == sorted(times)


async def test_no_life_is_lost(fleet: Fleet, endpoint: Endpoint, pair: list[Service], registry: RegistryHost) -> None:
    template = registry.add_template("macos-15", ["v1"], size=1000)
    for number in range(10):
        await fleet.node(f"mac-{number}", slots=12)
    await fleet.see(NODES, "mac-9", lambda node: node.status.state is NodeState.ACTIVE)
    leader, other = await find_leader(fleet, pair)

    async def lives(numbers: range) -> None:
        async with asyncio.TaskGroup() as group:
            for number in numbers:
                group.create_task(live(fleet, f"job-{number}", template, fails=number % 4 == 0))

    endpoint.code = 500
    first = asyncio.create_task(lives(range(LIVES // 2)))
    await endpoint.until(lambda: [code for code, _ in endpoint.asked].count(500) >= 2)
    endpoint.code = 0
    await endpoint.until(lambda: endpoint.asked[-1][0] == 0)
    await endpoint.stop()
    endpoint.code = 200
    await endpoint.start()
    await first
    second = asyncio.create_task(lives(range(LIVES // 2, LIVES)))
    await endpoint.until(lambda: len(by_object(endpoint.taken, "instance_id")) > LIVES // 2)
    leader.kill()
    await second
    await endpoint.until(lambda: sum(event["name"] == "VMTerminated" for event in distinct(endpoint)) == LIVES)

    check_lives(endpoint.taken)
    assert len(without_repeats(endpoint.taken)) < len(endpoint.taken), "the next leader repeats the last minute"
    log = registry.directory / "files" / "central-logs" / "event" / "event.log"
    check_lives(await find_whole_lives(log))
    assert not any(PASSWORD in text for text in (*endpoint.bodies, log.read_text()))
    assert 'anka_operator_event_log_total{outcome="lost",sink="url"} 0.0' in other.metrics()
    assert "Bearer of-the-test" not in leader.log.read_text() + other.log.read_text() + other.metrics()


def distinct(endpoint: Endpoint) -> list[Json]:
    """What it has taken, without repeats."""
    return without_repeats(endpoint.taken)


def read_lines(log: Path) -> list[Json]:
    """Another process is writing: the last line may not be whole."""
    text = log.read_text() if log.exists() else ""
    return [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines()]


async def find_whole_lives(log: Path) -> list[Json]:
    """What the registry has, once all lives have ended in it."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            lines = read_lines(log)
            if len({line["instance_id"] for line in lines if line["name"] == "VMTerminated"}) == LIVES:
                return lines
            await asyncio.sleep(0.1)


async def test_what_kubectl_does_to_a_node(fleet: Fleet, endpoint: Endpoint, pair: list[Service]) -> None:
    await fleet.node("mac-x")
    await fleet.see(NODES, "mac-x", lambda node: node.status.state is NodeState.ACTIVE)
    await fleet.client.patch(NODES, "mac-x", {"spec": {"drainMode": True}})
    await endpoint.until(lambda: by_object(endpoint.taken, "node_name")["mac-x"])
    await fleet.client.delete(NODES, "mac-x")
    await endpoint.until(lambda: len(by_object(distinct(endpoint), "node_name")["mac-x"]) == 3)
    config, deletion, end = by_object(distinct(endpoint), "node_name")["mac-x"]
    assert (config["name"], config["drain_mode"]) == ("ConfigNode", True)
    assert (deletion["name"], end["name"]) == ("DeleteNode", "NodeUnregistered")
